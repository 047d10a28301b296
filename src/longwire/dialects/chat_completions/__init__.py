"""The Chat Completions API as a client speaks it, over the hub: Responses items and events."""
