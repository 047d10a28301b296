"""Providers of OpenID Connect, by whom people sign in."""
