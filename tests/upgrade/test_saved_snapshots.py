"""A node that starts from the disk of an earlier version serves what that version served."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from releases.routing import route
from serving import disk
from serving.loading import Loader
from serving.state import ServingState
from tests.upgrade.instance import NODE
from tests.upgrade.make_fixture import FEATURE, FIXTURES

SAVED = f"home/serving/{NODE}/state"


@pytest.mark.parametrize(
    "archive", sorted(FIXTURES.glob("*.tar.xz")), ids=lambda archive: archive.name.partition(".")[0]
)
def test_a_saved_snapshot_of_an_earlier_version_is_served(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as file:
        members = [one for one in file if one.name.startswith(SAVED) or one.name == "home/facts.json"]
        file.extractall(tmp_path, members, filter="data")
    facts = json.loads((tmp_path / "home" / "facts.json").read_text(encoding="utf-8"))
    saved = disk.load(tmp_path / SAVED)
    state = Loader().load(ServingState(), saved.roots, documents=saved.documents, trusted=saved.trusted)

    environments = {environment.name: environment for environment in state.environments.values()}
    assert environments.keys() == facts["served"].keys()
    for name, units in facts["served"].items():
        document = environments[name].features[FEATURE].document
        releases = {"stable": document.stable, "candidate": document.candidate}
        for unit, expected in units.items():
            arm, _ = route(document.routing, unit)
            release = releases[arm]
            assert release is not None
            assert (release.digest, release.prompt.digest) == (expected["release"], expected["prompt"]), unit
