"""Statistics that decisions rest on. Pure Python: no Django, no network, no clock."""
