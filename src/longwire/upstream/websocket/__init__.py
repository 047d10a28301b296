"""The Responses API's WebSocket mode towards an upstream: pooled, one exchange at a time."""
