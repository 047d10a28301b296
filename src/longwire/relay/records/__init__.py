"""What is kept of turns: rows, log lines, metrics, prices."""
