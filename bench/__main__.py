"""Benchmarks: each measures a part beside a baseline in the same run. Without a NAME all of them run.

  resolve   a prompt for a unit, beside a handler that does nothing on the same server      (about 1 minute)
  publish   from the commit of a change to the first answer that shows it                   (about 1 minute)
  gateway   what a call through the gateway takes longer than the direct one, 200 a second  (about 2 minutes)
  tick      one tick of the rollout controller with 100 live rollouts                       (about 2 minutes)
  memory    growth of node, console and workers under load      (as many --minutes as asked for; 30 for a proof)

docs/benchmarks.md says how to read them. Quiet machines give better figures: stop what else runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench import gateway, memory, publish, resolve, results, tick
from bench.instance import instance
from bench.machine import apart
from bench.results import Result

EPILOG = """examples:
  python -m bench                              everything, in about ten minutes
  python -m bench gateway --rate 400           one of them, at another rate
  python -m bench memory --minutes 30          the whole half hour
  python -m bench.report                       then bring the table of docs/benchmarks.md up to date

exit codes: 0 all targets met, 1 some missed"""


def main() -> int:
    """Run what was asked for, print a table, keep the numbers in `bench/results/`."""
    parser = _parser()
    options = parser.parse_args()
    benchmarks: dict[str, Callable[[], list[Result]]] = {
        "resolve": lambda: _resolve(options),
        "publish": lambda: _publish(options),
        "gateway": lambda: _gateway(options),
        "tick": lambda: _tick(options),
        "memory": lambda: _memory(options),
    }
    unknown = [name for name in options.names if name not in benchmarks]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]}; choose from {', '.join(benchmarks)}")
    found: list[Result] = []
    for name in options.names or benchmarks:
        print(f"{name}: setting up…", file=sys.stderr, flush=True)
        for result in benchmarks[name]():
            found.append(result)
            print(f"{result.name}: {result.value} {result.unit}", file=sys.stderr)
            for key, value in result.details.items():
                print(f"  {key}: {value}", file=sys.stderr)
    print(results.table(found))
    print(f"\nWritten to {results.write(found)}")
    return 0 if all(result.met for result in found) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="see above; several run one after the other")

    def option(flag: str, kind: type, default: float, text: str) -> None:
        parser.add_argument(flag, type=kind, default=default, help=f"{text} (default: {default})")

    option("--rounds", int, 7, "resolve: pairs of rounds")
    option("--seconds", float, 3.0, "resolve: length of a round")
    option("--changes", int, 300, "publish: how many changes are followed")
    option("--rate", float, 200.0, "gateway: calls per second, and as many direct ones")
    option("--span", float, 20.0, "gateway: seconds for each of the three scenarios")
    option("--rollouts", int, 100, "tick: live rollouts")
    option("--ticks", int, 15, "tick: how many are measured")
    option("--minutes", float, 3.0, "memory: length of the load")
    option("--load", float, 50.0, "memory: chat completions per second")
    return parser


def _resolve(options: argparse.Namespace) -> list[Result]:
    with instance() as made:
        return [resolve.measure(made, rounds=options.rounds, seconds=options.seconds)]


def _publish(options: argparse.Namespace) -> list[Result]:
    with instance() as made:
        return [publish.measure(made, changes=options.changes)]


def _gateway(options: argparse.Namespace) -> list[Result]:
    with apart() as (server_core, client_core), instance() as made:
        return gateway.measure(
            made,
            per_second=options.rate,
            seconds=options.span,
            server_core=server_core,
            client_core=client_core,
        )


def _tick(options: argparse.Namespace) -> list[Result]:
    with instance() as made:
        return [tick.measure(made, rollouts=options.rollouts, ticks=options.ticks)]


def _memory(options: argparse.Namespace) -> list[Result]:
    with instance(broker=True) as made:
        return [memory.measure(made, minutes=options.minutes, per_second=options.load)]


if __name__ == "__main__":
    sys.exit(main())
