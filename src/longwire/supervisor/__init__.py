"""Several processes that are one program: workers, what stands before them, what they share."""
