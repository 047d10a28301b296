"""The data plane: turns, sockets, models."""
