"""What other gateways are configured with, and what that becomes here."""
