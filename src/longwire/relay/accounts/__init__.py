"""Accounts of subscriptions: their tokens, and how people sign in."""
