"""Who a channel is to its upstream, and the issuer of its tokens."""
