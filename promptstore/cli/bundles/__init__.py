"""Checking the audit bundle of a release, offline: no Django, no database, no server.

Needs Python, PyNaCl and rfc8785 only; `docs/bundle.md` describes what is checked. It shares no code with what writes bundles, so
that one mistake cannot hide in both.
"""
