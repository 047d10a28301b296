"""Turns: who may serve them, their attempts, and what comes back."""
