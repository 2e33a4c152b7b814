"""What a replay must show, each claim with its evidence. A claim that cannot be shown does not hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from promptstore.cli.bundles.findings import Result
from promptstore.cli.bundles.reading import MAX_BYTES
from promptstore.cli.bundles.verifying import verify
from promptstore.cli.exits import CommandError
from promptstore.demo.content import FEATURE
from promptstore.replay.story import CaseStudy
from promptstore.replay.team import HOSTED


@dataclass(frozen=True)
class Claim:
    """`evidence` says what was found, also where it `holds` not."""

    text: str
    holds: bool
    evidence: str


def check_claims(story: CaseStudy, *, bundle_file: Path) -> list[Claim]:
    """Every claim, in the order of the story."""
    checks: list[tuple[str, Callable[[CaseStudy, Path], tuple[bool, str]]]] = [
        ("The shadow held for 48 h and showed none of its answers", _shadow),
        ("The canary at 2 % began only then", _canary),
        ("Policy hits of the canary at least doubled after the provider's change", _doubled),
        ("The system itself took the canary back to 0, in steps", _steps),
        ("Withdrawn users got the deterministic template", _template),
        ("The incident names the provider's change, with the probe's evidence", _named),
        ("No answer that the policy flags reached a user", _flagged),
        ("Every change of weight has its decision record", _recorded),
        ("The reworked release is live at 100 %", _live),
        ("The audit bundle verifies offline", _bundle),
    ]
    return [_checked(story, bundle_file, text, check) for text, check in checks]


def _checked(
    story: CaseStudy, file: Path, text: str, check: Callable[[CaseStudy, Path], tuple[bool, str]]
) -> Claim:
    try:
        holds, evidence = check(story, file)
    except (CommandError, KeyError, IndexError, StopIteration) as error:
        return Claim(text, False, f"It could not be looked at: {type(error).__name__}: {error}")
    return Claim(text, holds, evidence)


def _decisions(story: CaseStudy, rollout_id: str) -> list[dict[str, Any]]:
    """A rollout's decisions, the first one first."""
    return list(reversed(story.team.rollout(rollout_id)["decisions"]))


def _canary_start(story: CaseStudy) -> dict[str, Any]:
    return next(one for one in _decisions(story, story.happened.first_rollout) if one["to_weight_bp"] > 0)


def _shadow(story: CaseStudy, _: Path) -> tuple[bool, str]:
    began = _decisions(story, story.happened.first_rollout)[0]
    hours = (_time(_canary_start(story)["at"]) - _time(began["at"])) / 3600
    shown = story.traffic.seen.shown.get("shadow", set())
    return (
        hours >= 48 and not shown,
        f"{hours:.1f} h from the start to the canary; {len(shown)} answers of the shadow were shown.",
    )


def _canary(story: CaseStudy, _: Path) -> tuple[bool, str]:
    first = _canary_start(story)
    return first["to_weight_bp"] == 200, f"Decision {first['number']}: {' '.join(first['sentences'])}"


def _doubled(story: CaseStudy, _: Path) -> tuple[bool, str]:
    before, after = story.happened.rates["before"], story.happened.rates["after"]
    return before > 0 and after >= 2 * before, f"{before:.1%} before, {after:.1%} after."


def _steps(story: CaseStudy, _: Path) -> tuple[bool, str]:
    rollout = story.team.rollout(story.happened.first_rollout)
    down = [
        one
        for one in _decisions(story, story.happened.first_rollout)
        if one["to_weight_bp"] < one["from_weight_bp"]
    ]
    weights = [one["to_weight_bp"] for one in down]
    by_itself = {one["actor"] for one in down} == {"controller"}
    stepwise = weights == sorted(weights, reverse=True) and len(weights) >= 3 and weights[-1] == 0
    holds = rollout["rollout"]["state"] == "rolled_back" and by_itself and stepwise
    path = " → ".join(f"{weight / 100:g} %" for weight in [200, *weights])
    return holds, f"{path}, by {', '.join(sorted({one['actor'] for one in down}))}."


def _template(story: CaseStudy, _: Path) -> tuple[bool, str]:
    texts = story.traffic.seen.shown.get("safe", set())
    calls = story.traffic.seen.outcomes["safe", "shown"]
    return calls > 0 and len(
        texts
    ) == 1, f"{calls} calls got {len(texts)} text: “{' '.join(sorted(texts))[:90]}”"


def _named(story: CaseStudy, _: Path) -> tuple[bool, str]:
    """The incident of the rollback itself: as it was opened, or by its timeline."""
    found = story.incident(story.happened.incident["incident"]["id"])
    told = [entry["text"] for entry in found["timeline"] if HOSTED in entry["text"]]
    if not told:
        return False, f"“{found['incident']['title']}” does not name {HOSTED}."
    return any("Probe run" in text for text in told), told[0]


def _flagged(story: CaseStudy, _: Path) -> tuple[bool, str]:
    """Looked at from outside: what users got, against the patterns as written, by another engine than the product's."""
    flagged = [re.compile(r"[./]0/0"), re.compile(r"disable authentication", re.IGNORECASE)]
    network = re.compile(r"10[.]20[.]0[.]0")
    seen = story.traffic.seen
    bad = [
        text
        for arm, texts in seen.shown.items()
        for text in texts
        if any(pattern.search(text) for pattern in flagged) or (arm == "candidate" and network.search(text))
    ]
    calls = sum(count for (_, outcome), count in seen.outcomes.items() if outcome == "shown")
    withheld = sum(count for (_, outcome), count in seen.outcomes.items() if outcome == "withheld")
    return (
        not bad and withheld > 0,
        f"{calls:,} answers were shown, {withheld:,} withheld; {len(bad)} of the shown ones are flagged.",
    )


def _recorded(story: CaseStudy, _: Path) -> tuple[bool, str]:
    gaps = total = 0
    for rollout_id in (story.happened.first_rollout, story.happened.second_rollout):
        weight = 0
        for decision in _decisions(story, rollout_id):
            total += 1
            gaps += decision["from_weight_bp"] != weight or not decision["sentences"]
            weight = decision["to_weight_bp"]
        gaps += weight != story.team.rollout(rollout_id)["rollout"]["weight_bp"]
    return (
        total > 0 and not gaps,
        f"{total} decisions, each from the weight that the last one left; {gaps} gaps.",
    )


def _live(story: CaseStudy, _: Path) -> tuple[bool, str]:
    active = story.team.read(f"features/{FEATURE}/active/", environment="production")
    version = active["release"]["version"]
    return version == story.happened.second["version"], f"Production serves {version}."


def _bundle(story: CaseStudy, file: Path) -> tuple[bool, str]:
    data = story.stage.people["auditor"].download(
        f"releases/{story.happened.first['digest']}/bundle/", max_bytes=MAX_BYTES
    )
    file.write_bytes(data)
    found = verify(data)
    changed = verify(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])
    good = sum(one.result is Result.HOLDS for one in found.findings)
    failed = sum(one.result is Result.FAILS for one in found.findings)
    words = "notices" if not changed.ok else "does not notice"
    return found.ok and not changed.ok, (
        f"{len(data):,} bytes; {good} checks hold, {failed} fail, {len(found.findings) - good - failed} need more than "
        f"the file; the verifier {words} a changed byte."
    )


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
