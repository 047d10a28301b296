"""Who calls us: HTTP and server-sent events, keys at the door, errors in the caller's envelope."""
