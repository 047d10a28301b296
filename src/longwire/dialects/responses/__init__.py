"""The Responses API on the wire."""
