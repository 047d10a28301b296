"""Chat Completions, as OpenAI and the vendors of compatible APIs speak it."""
