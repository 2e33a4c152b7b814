"""Benchmarks: each measures a part beside a baseline in the same run and reports the ratio. `python -m bench`."""
