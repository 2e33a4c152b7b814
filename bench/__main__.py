"""`python -m bench [resolve] [publish]`: run the benchmarks, print a table, keep the numbers."""

from __future__ import annotations

import argparse
import sys

from bench import publish, resolve, results
from bench.instance import instance


def main() -> int:
    """Exit codes: 0 all targets met, 1 some missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="resolve, publish (default: all)")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of rounds of resolve (default: 7)")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="length of a round of resolve (default: 3)"
    )
    parser.add_argument("--changes", type=int, default=300, help="changes of publish (default: 300)")
    options = parser.parse_args()
    benchmarks = {
        "resolve": lambda made: resolve.measure(made, rounds=options.rounds, seconds=options.seconds),
        "publish": lambda made: publish.measure(made, changes=options.changes),
    }
    unknown = [name for name in options.names if name not in benchmarks]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]}; choose from {', '.join(benchmarks)}")
    found = []
    for name in options.names or benchmarks:
        print(f"{name}: setting up…", file=sys.stderr, flush=True)
        with instance() as made:
            found.append(benchmarks[name](made))
        for key, value in found[-1].details.items():
            print(f"  {key}: {value}", file=sys.stderr)
    print(results.table(found))
    print(f"\nWritten to {results.write(found)}")
    return 0 if all(result.met for result in found) else 1


if __name__ == "__main__":
    sys.exit(main())
