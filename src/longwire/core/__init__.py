"""The rules of the gateway: values and pure functions, no input or output, no clock, no JSON."""
