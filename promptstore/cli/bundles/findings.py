"""What a check found: one claim, whether it holds, and where to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Result(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "open"  # nothing speaks against it, and the bundle alone cannot prove it


@dataclass
class Finding:
    """One claim of a bundle. `faults` and `doubts` are sentences that name the member at fault."""

    claim: str
    says: str
    where: str
    faults: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    checked: int = 0

    @property
    def result(self) -> Result:
        if self.faults:
            return Result.FAILS
        return Result.OPEN if self.doubts else Result.HOLDS

    @property
    def looked_at(self) -> bool:
        """Whether there was anything to check: a release without rollouts has no decisions."""
        return bool(self.checked or self.faults or self.doubts)

    def expect(self, holds: bool, fault: str) -> None:
        """Count one comparison, and keep `fault` if it did not hold."""
        self.checked += 1
        if not holds:
            self.faults.append(fault)

    def to_dict(self) -> dict[str, Any]:
        return {
            "claim": self.claim,
            "says": self.says,
            "result": self.result.value,
            "where": self.where,
            "checked": self.checked,
            "faults": self.faults,
            "doubts": self.doubts,
        }


def guarded(finding: Finding, check: Callable[[Finding], None]) -> Finding:
    """Run one check. Whatever a forged member may hold, the check ends in a finding and not in a traceback."""
    try:
        check(finding)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        finding.faults.append(
            f"{finding.where}: not of the described shape ({type(error).__name__}: {error})"
        )
    return finding
