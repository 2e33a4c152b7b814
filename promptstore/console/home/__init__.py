"""The start page: is production healthy, what waits for me, what changed since yesterday."""
