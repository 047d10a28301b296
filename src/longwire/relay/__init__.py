"""One turn from its principal to its end: routes, connections, what was used."""
