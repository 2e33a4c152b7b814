"""Incidents go out: one module per kind of channel, signatures, retries, and the one function that sends. No Django."""
