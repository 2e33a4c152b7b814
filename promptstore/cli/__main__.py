"""`python -m promptstore.cli`, where `promptctl` is not on the path."""

from __future__ import annotations

from promptstore.cli.main import run

if __name__ == "__main__":
    run()
