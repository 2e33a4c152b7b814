"""`promptctl replay`: a story of days, told in minutes on an instance of its own."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from promptstore.cli.exits import CommandError, Exit, usage
from promptstore.cli.options import Json
from promptstore.cli.output import show
from promptstore.local.errors import LocalError

app = App(
    name="replay", help="Stories of days in minutes, on an instance of its own.", help_format="markdown"
)


@app.command(name="case-study")
def case_study(
    *,
    short: Annotated[bool, Parameter(help="Fewer calls and larger steps of the clock.")] = False,
    until: Annotated[
        str, Parameter(help="Stop after this step and leave the instance open until Ctrl-C: register, stage, shadow, "
        "canary, change, rollback, mitigate, again.")
    ] = "",
    output: Annotated[
        Path, Parameter(help="Where the report and the bundle are written.", show_default=True)
    ] = Path("case-study"),
    as_json: Json = False,
) -> Exit:  # fmt: skip
    """The configuration assistant: 48 h of shadow, a canary at 2 %, a provider that changes its model, and the way back.

    Starts an instance of its own with a real local model; its clock is stepped, and a banner says so. People act through the
    management API, users through the serving API; the controller decides as in production. Your own instance is not touched.

    Prints a timeline as it goes and each claim with its evidence at the end, and writes an HTML report.

    Example: `promptctl replay case-study --short`

    Exit codes: 0 every claim holds · 1 one does not · 2 an unknown step · 4 the instance did not start · 130 interrupted
    """
    from promptstore.replay.claims import check_claims
    from promptstore.replay.report import write_report
    from promptstore.replay.stage import stage
    from promptstore.replay.story import STEPS, CaseStudy

    if until and until not in STEPS:
        raise usage(f"There is no step “{until}”. They are: {', '.join(STEPS)}.", field="--until")
    # A plain kill ends what was started too, and so does Ctrl-C where a shell made it ignored, as it does behind `&`.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="ps-replay-"))
    began = time.monotonic()
    try:
        _say("The provider starts, then an instance of its own.", as_json=as_json)
        with stage(home) as there:
            story = CaseStudy(
                there,
                hours_per_slice=12 if short else 4,
                samples_per_slice=40 if short else 60,
                tell=lambda at, sentence: _say(f"{at:%a %d %b %H:%M}  {sentence}", as_json=as_json),
            )
            _say(f"The instance is at {there.console_url}.", as_json=as_json)
            for name, act in story.steps():
                act()
                if name == until:
                    _leave_open(there.console_url, there.passwords)
                    return Exit.FINE
            output.mkdir(parents=True, exist_ok=True)
            claims = check_claims(story, bundle_file=output / "release-2.0.0.bundle")
            report = write_report(
                output / "report.html", story=story, claims=claims, took_s=time.monotonic() - began
            )
    except LocalError as error:
        raise CommandError(Exit.UNREACHABLE, {"code": "not_started", "detail": str(error)}) from error
    finally:
        shutil.rmtree(home, ignore_errors=True)
    found: dict[str, Any] = {
        "claims": [{"claim": one.text, "holds": one.holds, "evidence": one.evidence} for one in claims],
        "report": str(report),
    }
    rows = [f"{'holds' if one.holds else 'FAILS'}  {one.text}\n       {one.evidence}" for one in claims]
    show(found, ["", *rows, "", f"The report is {report}."], as_json=as_json)
    return Exit.FINE if all(one.holds for one in claims) else Exit.FINDINGS


def _say(line: str, *, as_json: bool) -> None:
    print(line, file=sys.stderr if as_json else sys.stdout, flush=True)


def _leave_open(url: str, passwords: dict[str, str]) -> None:
    print(
        f"The instance stays open at {url} until Ctrl-C. Sign in as owner with {passwords['owner']}.",
        flush=True,
    )
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("Stopping …", flush=True)
