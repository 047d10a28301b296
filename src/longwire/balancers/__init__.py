"""What stands before several gateways: HAProxy, Envoy, nginx, each by its configuration."""
