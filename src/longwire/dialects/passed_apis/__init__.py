"""OpenAI's APIs beside conversations: their requests are routed, and passed on as they are."""
