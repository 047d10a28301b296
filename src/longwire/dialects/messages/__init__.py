"""Anthropic's Messages API as its clients speak it, read as the Responses API and written back."""
