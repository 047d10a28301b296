"""What the gateway remembers: one file per noun. Queries return core values, never rows."""
