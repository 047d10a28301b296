"""Alerts as they leave: posted to webhooks, and mailed."""
