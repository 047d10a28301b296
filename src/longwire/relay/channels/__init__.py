"""Channels as they run: provisioned, reconciled with the configuration, probed."""
