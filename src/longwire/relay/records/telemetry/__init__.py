"""Turns as OpenTelemetry knows them. Whatever imports this loads its SDK."""
