"""What a channel type does beyond its dialect, one file per vendor."""
