"""Is the trail of audit events the one that was sealed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.cli.bundles.findings import Finding
from promptstore.cli.bundles.opened import Opened
from promptstore.cli.bundles.reading import digest, sha256
from promptstore.cli.bundles.seal import is_signed, key

_CHAIN = "audit/chain.json"
_EVENTS = "audit/events.jsonl"


def events(bundle: Opened, finding: Finding) -> None:
    """Each event has the digest under which it was sealed, and the events are in their order."""
    sequences = []
    for number, line in enumerate(bundle.lines(_EVENTS), start=1):
        if line["sequence"] is not None:
            sequences.append(line["sequence"])
        if "event" in line:
            same = digest(line["event"]) == line["digest"]
            finding.expect(same, f"{_EVENTS}:{number} was changed after it was recorded")
        else:
            finding.expect(bool(line["withheld"]), f"{_EVENTS}:{number} has neither text nor a reason")
    finding.expect(len(sequences) == len(set(sequences)), f"{_EVENTS}: two events have one sequence number")


def chain(bundle: Opened, finding: Finding) -> None:
    """Each event stands in the chain, and each slice of the chain ends in a checkpoint that the instance signed."""
    sealed: dict[int, str] = {}
    for segment in bundle.json(_CHAIN)["segments"]:
        sealed |= _walk(bundle, segment, finding)
    waiting = 0
    for number, line in enumerate(bundle.lines(_EVENTS), start=1):
        sequence = line["sequence"]
        if sequence is None:
            waiting += 1
        elif sequence not in sealed:
            finding.doubts.append(f"{_EVENTS}:{number} is behind the last signed checkpoint")
        else:
            finding.expect(sealed[sequence] == line["digest"], f"{_EVENTS}:{number} is not what was sealed")
    if waiting:
        finding.doubts.append(f"{_EVENTS}: {waiting} events were not sealed yet")


def _walk(bundle: Opened, segment: Mapping[str, Any], finding: Finding) -> dict[int, str]:
    """Follow one slice link by link to its checkpoint; returns event digests by sequence."""
    point, sequence, head = segment["checkpoint"], segment["start"], segment["previous"]
    found = {}
    if sequence == 1:
        finding.expect(head == bundle.json(_CHAIN)["genesis"] == _GENESIS, f"{_CHAIN}: wrong beginning")
    for one in segment["digests"]:
        head = sha256(f"{head}\n{sequence}\n{one}".encode())
        found[sequence] = one
        sequence += 1
    where = f"{_CHAIN}: checkpoint {point['sequence']}"
    finding.expect(
        (sequence - 1, head) == (point["sequence"], point["chain_digest"]), f"{where} is not reached"
    )
    message = f"promptstore-audit-v1\n{point['sequence']}\n{point['chain_digest']}\n".encode()
    signed = is_signed(key(bundle, point["key_id"], "audit"), message, point["signature"])
    finding.expect(signed, f"{where}: the signature is not {point['key_id']}’s")
    return found


_GENESIS = "sha256:" + "0" * 64
