"""What the Codex backend and its clients do beyond the Responses API."""
