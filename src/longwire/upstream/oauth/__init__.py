"""As whom an upstream is called, and where tokens come from."""
