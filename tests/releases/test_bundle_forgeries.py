from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptstore.cli.bundles.reading import read_members
from promptstore.cli.bundles.verifying import verify
from promptstore.core.models import SigningKey
from releases.bundle.archive import pack
from tests.releases.bundles import Change, bundle_of, failing, forged, told
from tests.world import World

# One real bundle for many examples: the examples change bytes, never the database.
examples = settings(max_examples=400, deadline=None)


@pytest.fixture
def genuine(world: World) -> bytes:
    return bundle_of(world, told(world)).data


def test_any_changed_byte_is_detected(genuine: bytes) -> None:
    @examples
    @given(position=st.integers(0, len(genuine) - 1), bits=st.integers(1, 255))
    def flip(position: int, bits: int) -> None:
        changed = bytearray(genuine)
        changed[position] ^= bits
        assert not verify(bytes(changed)).ok

    flip()


def test_a_cut_or_longer_file_is_detected(genuine: bytes) -> None:
    @examples
    @given(length=st.integers(0, len(genuine) - 1))
    def cut(length: int) -> None:
        assert failing(verify(genuine[:length])) == {"archive"}

    cut()
    assert failing(verify(genuine + b"\0")) == {"archive"}
    assert failing(verify(genuine + bytes(512))) == {"archive"}


@given(data=st.binary(max_size=4_000))
@settings(max_examples=60)
def test_whatever_a_file_holds_ends_in_a_finding(data: bytes) -> None:
    assert not verify(data).ok


def test_members_that_are_removed_added_or_in_another_order_are_detected(genuine: bytes) -> None:
    members = read_members(genuine)
    for name in members:
        rest = {one: data for one, data in members.items() if one != name}
        assert not verify(_archive(rest)).ok, name
    extra = dict(sorted({**members, "reports/" + "0" * 64 + ".json": b"{}"}.items()))
    front = {name: extra.pop(name) for name in ("bundle.json", "signature.json")}
    assert failing(verify(_archive({**front, **extra}))) >= {"members", "reports"}
    assert failing(verify(_archive(dict(reversed(members.items()))))) == {"archive"}


@pytest.mark.parametrize(
    "name",
    ["../escape.json", "/etc/passwd", "keys/../x.json", "other.json", "reports/x.json", "keys/a\nb.json"],
)
def test_a_hostile_name_is_refused_before_anything_is_read(genuine: bytes, name: str) -> None:
    assert failing(verify(_archive({**read_members(genuine), name: b"{}"}))) == {"archive"}


def test_a_member_that_comes_twice_is_refused(genuine: bytes) -> None:
    end = bytes(1024)
    again = pack({}, {}, {"release.json": b"{}"})[: -len(end)]
    second = again[again.index(b"release.json") :]
    assert failing(verify(genuine.removesuffix(end) + second + end)) == {"archive"}


def test_a_bundle_signed_anew_by_another_key_is_flagged(genuine: bytes) -> None:
    anew = forged(genuine, {})
    found = verify(anew)
    assert found.ok
    assert "signed by an unknown key" in found.findings[-1].doubts[0]
    known = bytes(SigningKey.objects.get(purpose="bundle").public_key)
    assert failing(verify(anew, public_key=known)) == {"signer"}
    assert not failing(verify(genuine, public_key=known))


def _put(*path: Any, value: Any) -> Change:
    def change(body: Any) -> None:
        for step in path[:-1]:
            body = body[step]
        body[path[-1]] = value

    return change


def _drop(*path: Any) -> Change:
    def change(body: Any) -> None:
        for step in path[:-1]:
            body = body[step]
        del body[path[-1]]

    return change


def _approve_ones_own(body: Any) -> None:
    body["votes"][0]["by"] = body["requested_by"]


def _swap_decisions(body: Any) -> None:
    rows = body["decisions"]
    rows[1]["number"], rows[2]["number"] = 3, 2
    rows[1], rows[2] = rows[2], rows[1]


FORGERIES: dict[str, tuple[dict[str, Change | None], str]] = {
    "another manifest": ({"manifest.json": _put("primary", value="other")}, "manifest"),
    "another text of a prompt": (
        {"artifacts/prompts/": _put("document", "body", "messages", 0, "content", value="Obey.")}, "artifacts"
    ),
    "a model that is not there": ({"artifacts/models/": None}, "artifacts"),
    "a report that passed after all": ({"reports/": _put("verdict", value="fail")}, "reports"),
    "a report that is not there": ({"reports/": None}, "reports"),
    "another verdict of a round": ({"promotions/": _put("rounds", 0, "document", "verdict", value="fail")}, "evidence"),
    "a gate less": ({"promotions/": _drop("rounds", 0, "document", "reports", 0)}, "evidence"),
    "a weaker policy": ({"promotions/": _put("policies", 0, "body", "quorum", value=0)}, "policies"),
    "another plan": ({"promotions/": _put("plan", "steps", 0, "weight_bp", value=5_000)}, "policies"),
    "a vote less": ({"promotions/": _drop("votes", 0)}, "approvals"),
    "a vote for something else": (
        {"promotions/": _put("votes", 0, "evidence_digest", value="sha256:" + "0" * 64)}, "approvals"
    ),
    "an approval of one's own": ({"promotions/": _approve_ones_own}, "approvals"),
    "a voter who contributed": (
        {"release.json": _put("contributors", 0, "id", value="x"), "promotions/": _put("votes", 0, "by", "id", value="x")},
        "approvals",
    ),
    "a voter whom the log does not know": ({"promotions/": _put("votes", 0, "by", "id", value="x")}, "recorded"),
    "a promotion that is not there": ({"promotions/": None}, "plan"),
    "a decision less": ({"rollouts/": _drop("decisions", 1)}, "decisions"),
    "decisions in another order": ({"rollouts/": _swap_decisions}, "decisions"),
    "another weight": ({"rollouts/": _put("decisions", 1, "to_weight_bp", value=100)}, "recorded"),
    "a weight that nobody decided": ({"rollouts/": _put("routing", 1, "weight_bp", value=150)}, "weights"),
    "more than was planned": ({"rollouts/": _put("decisions", 1, "to_weight_bp", value=201)}, "plan"),
    "another event": ({"audit/events.jsonl": _put(0, "event", "actor", "name", value="Nobody")}, "events"),
    "another digest of an event": ({"audit/events.jsonl": _put(0, "digest", value="sha256:" + "0" * 64)}, "chain"),
    "a link less": ({"audit/chain.json": _drop("segments", 0, "digests", 2)}, "chain"),
    "another checkpoint": (
        {"audit/chain.json": _put("segments", 0, "checkpoint", "sequence", value=1)}, "chain"
    ),
    "another key of the log": ({"keys/audit-": _put("public_key", value="A" * 43 + "=")}, "chain"),
    "members of the wrong kind": ({"rollouts/": _put("decisions", value="none")}, "decisions"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_that_is_signed_again_does_not_add_up(genuine: bytes, name: str) -> None:
    changes, claim = FORGERIES[name]
    found = failing(verify(forged(genuine, changes)))
    assert claim in found
    assert not found & {"archive", "members", "root", "signature"}


def _archive(members: dict[str, bytes]) -> bytes:
    """An archive with any names in any order: what `pack` would never make."""
    end = bytes(1024)
    head = len(pack({}, {}, {})) - len(end)
    return b"".join(pack({}, {}, {name: data})[head : -len(end)] for name, data in members.items()) + end
