"""The embedded default behind `make run`: PostgreSQL, Valkey, a local model and a process supervisor."""
