"""Alerts: what is watched, who is informed, and what became of it."""
