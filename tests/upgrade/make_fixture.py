"""Make a fixture for the upgrade test: the data directory of an instance of a given version that was in use.

`python -m tests.upgrade.make_fixture CHECKOUT` starts the version in CHECKOUT (a clone at the commit to keep) with the packages
of this environment, uses it over HTTP alone, stops it and packs its home into `fixtures/<date>-<commit>.tar.xz`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from promptstore.local.account import server_account
from promptstore.local.postgres_data import program, server_environment
from promptstore.local.process import launcher
from providers.scripted import ScriptedServer
from tests.upgrade.instance import Instance, eventually, running

FIXTURES = Path(__file__).with_name("fixtures")
ANSWER = '{"key": "log_level", "value": "warning"}'
FEATURE = "config-assistant"
UNITS = tuple(f"unit-{number}" for number in range(60))
CALLS = 20
# What describes one run. The broker's memory names the machine, and only wakes workers: it may be lost at any time.
LEFT_OUT = ("logs", "run", "supervisor.log", "valkey")
LEFT_OUT_OF_POSTGRES = ("postmaster.opts", "postmaster.pid", "pg_stat_tmp")
# One rollout that stays where it is: its canary takes longer than anybody looks.
PLAN = {
    "steps": [
        {"kind": "shadow", "min_duration_s": 1, "min_samples": 5},
        *(
            {"weight_bp": weight, "min_duration_s": 86_400, "min_samples": 5}
            for weight in (500, 2_000, 5_000, 10_000)
        ),
    ]
}


def make(checkout: Path) -> Path:
    """Returns the archive."""
    version = _git(checkout, "log", "-1", "--date=format:%Y-%m-%d-%H%M", "--format=%cd-%h")
    with tempfile.TemporaryDirectory(prefix="ps-upgrade-") as place:
        home = Path(place) / "home"
        Path(place).chmod(0o711)
        with (
            ScriptedServer({"default": {"answer": ANSWER}}) as provider,
            running(home, checkout=checkout, model_url=provider.base_url) as instance,
        ):
            use(instance)
            facts = {"version": version, **observe(instance)}
        (home / "facts.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
        trim(home)
        FIXTURES.mkdir(exist_ok=True)
        archive = FIXTURES / f"{version}.tar.xz"
        pack(home, archive)
    return archive


def use(instance: Instance) -> None:
    """A second prompt version, its release live in staging, in production at the first step of a rollout, and traffic."""
    engineer, approver = instance.sign_in("engineer"), instance.sign_in("approver")
    draft = engineer.api(f"prompts/{FEATURE}/drafts/main/")
    body = draft["body"]
    body["messages"][0]["content"] += " Choose the safest value."
    saved = engineer.api(
        f"prompts/{FEATURE}/drafts/main/",
        {"body": body},
        method="PUT",
        **{"If-Match": f'"{draft["revision"]}"'},
    )
    engineer.api(
        f"prompts/{FEATURE}/drafts/main/publish/",
        {"version": "1.1.0", "changelog": "Ask for the safest value."},
        **{"If-Match": f'"{saved["revision"]}"'},
    )
    release = engineer.api(
        "releases/",
        {
            "feature": FEATURE,
            "prompts": {FEATURE: "1.1.0"},
            "models": {"primary": "smollm2@1.0.0"},
            "config": f"{FEATURE}@1.0.0",
            "version": "1.1.0",
            "changelog": "Safer suggestions.",
        },
    )
    _promote(engineer, release["digest"], "staging", until="live")
    promotion = _promote(
        engineer,
        release["digest"],
        "production",
        until="awaiting_approval",
        reason="Proven in staging.",
        plan=PLAN,
    )
    approver.api(
        f"promotions/{promotion['promotion']['id']}/approve/",
        {
            "release_digest": promotion["release_digest"],
            "evidence_digest": promotion["evidence_digest"],
            "comment": "The evidence is convincing.",
        },
    )

    def both_arms_are_served() -> bool:
        _call(instance, UNITS[0])  # a copy of it is a sample of the shadow step
        return {_arm(instance, unit) for unit in UNITS} == {"stable", "candidate"}

    # The rules of the demo look back for two minutes.
    eventually(both_arms_are_served, "both arms are served", within_s=300)
    for unit in UNITS[:CALLS]:
        _call(instance, unit)
    eventually(lambda: len(engineer.api("inferences/")["results"]) >= CALLS, "the traffic is in the database")


def _promote(session: Any, digest: str, environment: str, *, until: str, **more: Any) -> Any:
    asked = session.api("promotions/", {"release": digest, "environment": environment, **more})
    path = f"promotions/{asked['promotion']['id']}/"

    def reached() -> Any:
        found = session.api(path)
        return found if found["promotion"]["state"] == until else None

    return eventually(reached, f"the promotion to {environment} is {until}", within_s=120)


def _call(instance: Instance, unit: str) -> None:
    answer = instance.serving(
        "/v1/chat/completions",
        {"model": FEATURE, "unit": unit, "messages": [], "prompt_variables": {"request": "Log less."}},
        environment="production",
    )
    assert answer.status == 200, answer.text


def _arm(instance: Instance, unit: str) -> str:
    answer = instance.serving(f"/v1/features/{FEATURE}/resolve?unit={unit}", environment="production")
    return str(answer.json["arm"])


def observe(instance: Instance) -> dict[str, Any]:
    """What must be the same under every later version: answers of the data plane, ids of pages, the sealed log."""
    engineer = instance.sign_in("engineer")
    served = {
        environment: {
            unit: {
                "arm": found["arm"],
                "release": found["release"]["digest"],
                "prompt": found["prompt"]["digest"],
            }
            for unit in UNITS
            for found in [
                instance.serving(f"/v1/features/{FEATURE}/resolve?unit={unit}", environment=environment).json
            ]
        }
        for environment in ("staging", "production")
    }
    log = eventually(
        lambda: found if not (found := _verified(instance))["pending"] else None,
        "the log is sealed",
        within_s=60,
    )
    rollouts = engineer.api("rollouts/")["results"]
    return {
        "served": served,
        "rollout": next(row["id"] for row in rollouts if row["state"] == "running"),
        "promotions": [row["id"] for row in engineer.api("promotions/")["results"]],
        "log": {"sealed": log["sealed"], "head": log["head"]},
    }


def _verified(instance: Instance) -> Any:
    done = instance.command("-m", "promptstore.cli", "audit", "verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def trim(home: Path) -> None:
    """Leave out what a start makes anew. The server ended cleanly, so that its log of changes is not needed."""
    data = home / "postgres" / "data"
    account = server_account()
    tied = launcher(death_signal=15, account=account, enter_any_directory=False)
    subprocess.run(
        [*tied, str(program("pg_resetwal")), str(data)],
        env=server_environment(),
        check=True,
        capture_output=True,
    )
    for name in LEFT_OUT_OF_POSTGRES:
        (data / name).unlink(missing_ok=True) if (data / name).is_file() else None


def pack(home: Path, archive: Path) -> None:
    """The home without what is of this run or machine; owners are not recorded."""

    def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        name = entry.name.removeprefix("home/")
        if any(name == left or name.startswith(f"{left}/") for left in LEFT_OUT):
            return None
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(archive, "w:xz", preset=9) as file:
        file.add(home, "home", filter=kept)


def _git(checkout: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(checkout), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="a clone at the commit whose data directory is kept")
    made = make(parser.parse_args().checkout.resolve())
    sys.stdout.write(f"{made} ({made.stat().st_size:,} bytes)\n")
