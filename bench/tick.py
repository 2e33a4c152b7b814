"""How long one tick of the rollout controller takes with many live rollouts, beside reading the same rollouts one by one.

Every rollout has the demo's five rules and minutes of calls on both arms, and new calls before every tick, so that each tick reads,
evaluates, decides and keeps the measurements of all. All hold: a move is a transaction of its own and is not what a tick costs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import Any

from bench.instance import Instance
from bench.results import Result
from promptstore.local.embedded import ROOT

TARGET_S = 0.5
# Long enough for every window of the demo's rules, and for a step that has begun before them.
MINUTES = 10


def measure(made: Instance, *, rollouts: int, ticks: int) -> Result:
    """`ticks` ticks over `rollouts` rollouts."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.rollouts", str(rollouts), str(MINUTES), str(ticks)],
        cwd=ROOT,
        env=dict(made.environment),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the rollouts could not be measured:\n{done.stderr.decode()[-4000:]}")
    return result(json.loads(done.stdout), rollouts=rollouts)


def result(found: dict[str, Any], *, rollouts: int) -> Result:
    """The median tick."""
    joint, single = median(found["joint_s"]), median(found["single_s"])
    return Result(
        name=f"one controller tick, {rollouts} live rollouts",
        value=round(joint, 3),
        unit="s",
        target=f"≤ {TARGET_S} s",
        met=joint <= TARGET_S,
        details={
            "rollouts": rollouts,
            "minutes_of_telemetry": MINUTES,
            "ticks": len(found["joint_s"]),
            "tick_p50_s": round(joint, 3),
            "tick_max_s": round(max(found["joint_s"]), 3),
            # Of this process alone; the database's share is not in it. It does not depend on what else runs.
            "tick_cpu_s": round(median(found["joint_cpu_s"]), 3),
            "one_by_one_p50_s": round(single, 3),
            "times_faster": round(single / joint, 1),
            "queries": found["queries"],
            "queries_per_rollout": round(found["queries"] / rollouts, 2),
            "slowest_query_ms": found["slowest_query_ms"],
            "slowest_query": found["slowest_query"],
            "slowest_plan": found["slowest_plan"],
        },
    )
