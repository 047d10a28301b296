"""Turns as OpenTelemetry knows them. All but the options loads its SDK."""
