"""What vendors of one API do differently, as data."""
