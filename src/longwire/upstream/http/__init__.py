"""The Responses API over HTTP towards an upstream."""
