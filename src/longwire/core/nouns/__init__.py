"""The nouns: what is configured, kept and shown, as values with their own checks."""
