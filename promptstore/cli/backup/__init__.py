"""Backup, verification, restore and drill behind `promptctl doctor`; docs/backup.md says what each does."""
