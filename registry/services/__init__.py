"""Writes, one noun per file. Each function is one door: permission, lock, check, write, audit event, outbox, in one transaction."""
