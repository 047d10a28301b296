"""Each public API as it looks on the wire: bytes and JSON to the values of `core`, and back."""
