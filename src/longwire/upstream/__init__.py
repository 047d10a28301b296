"""Whom we call: connections to providers, kept warm, and the two transports over them."""
