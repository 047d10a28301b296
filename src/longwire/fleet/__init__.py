"""Whom we are with: what the nodes of a fleet share, and what one process has by itself."""
