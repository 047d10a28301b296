"""Connections to an upstream: URLs, proxies, TLS, and the first HTTP exchange on them."""
