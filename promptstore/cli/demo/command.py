from __future__ import annotations

import asyncio
import ipaddress
import json
import sys
import time
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from cyclopts import Parameter
from cyclopts.validators import Number

from promptstore.cli.database import home
from promptstore.cli.demo.counts import Counts
from promptstore.cli.demo.requests import Crowd
from promptstore.cli.demo.sending import send_traffic
from promptstore.cli.exits import Exit, unreachable, usage
from promptstore.cli.options import Json
from promptstore.cli.output import show

MAX_RATE = 50
MAX_DURATION_S = 3_600


@dataclass(frozen=True)
class Access:
    """Where the demo's serving API is, and a key for it."""

    url: str
    key: str


def traffic(
    *,
    rate: Annotated[
        float, Parameter(show_default=True, help="Requests per second.", validator=Number(gt=0, lte=MAX_RATE))
    ] = 1.0,
    duration: Annotated[
        float,
        Parameter(
            show_default=True, help="Seconds; it stops by itself.", validator=Number(gt=0, lte=MAX_DURATION_S)
        ),
    ] = 60.0,
    environment: Annotated[str, Parameter(show_default=True, help="staging or production.")] = "production",
    seed: Annotated[int, Parameter(show_default=True, help="The same seed asks the same questions.")] = 1,
    as_json: Json = False,
) -> Exit:
    """Send real chat completions of the demo feature, so that there is something to watch.

    Reads the serving URL and the key from `demo.json` in `PROMPTSTORE_HOME` and talks to this machine only. People come back, so a
    rollout shows sticky units. Counts per arm are printed as they change.

    Example: `promptctl demo traffic --rate 4 --duration 300`

    Exit codes: 0 answers came · 3 none came · 4 the serving API is not there, or not on this machine
    """
    access = _access(environment)
    started = time.monotonic()
    counts = asyncio.run(
        send_traffic(
            url=access.url,
            key=access.key,
            rate_per_s=rate,
            duration_s=duration,
            crowd=Crowd(seed),
            report=_quiet if as_json else _report,
            report_every_s=1.0 if sys.stdout.isatty() else 10.0,
        )
    )
    elapsed = time.monotonic() - started
    if sys.stdout.isatty() and not as_json:
        print("\r\033[K", end="")
    show(counts.summary(elapsed), [counts.line(elapsed)], as_json=as_json)
    if counts.answered:
        return Exit.FINE
    arms = counts.outcomes
    if arms and all(set(outcomes) == {"failed"} for outcomes in arms.values()):
        raise unreachable(f"No answer came from {access.url}. Is the instance running (`make run`)?")
    return Exit.INCONCLUSIVE


def _access(environment: str) -> Access:
    file = home() / "demo.json"
    try:
        known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        url, keys = str(known["serving_url"]).rstrip("/"), dict(known["keys"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unreachable(
            f"{file} cannot be read. Start the demo once with `make run`.", code="no_demo"
        ) from error
    if environment not in keys:
        raise usage(f"The demo has {' and '.join(sorted(keys))}.", field="--environment")
    if not _on_this_machine(url):
        raise unreachable(
            f"{url} is not on this machine; demo traffic goes nowhere else.", code="not_allowed"
        )
    return Access(url=url, key=str(keys[environment]))


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _report(counts: Counts, elapsed_s: float) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{counts.line(elapsed_s)}", end="", flush=True)
    else:
        print(counts.line(elapsed_s), flush=True)


def _quiet(_counts: Counts, _elapsed_s: float) -> None:
    """With `--json` there is one value, at the end."""
