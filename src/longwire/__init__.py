"""Longwire, a self-hosted AI gateway with warm upstream WebSocket sessions."""
