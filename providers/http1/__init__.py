"""HTTP/1.1 to models: what a call needs and nothing else, because the gateway's own time is mostly this (ADR 0009)."""
