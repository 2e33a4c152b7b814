"""What the registry refuses, with stable codes. Every refusal changed nothing."""

from __future__ import annotations

from promptstore.core.errors import Conflict, DomainError, InvalidInput


class VersionExists(Conflict):
    """The version is published already; published versions never change."""

    code = "version_exists"
    title = "This version exists already"


class VersionNotHigher(Conflict):
    """The version is not above the highest published one."""

    code = "version_not_higher"
    title = "Versions only go up"


class BumpTooLow(DomainError):
    """The contract changed more than the version says."""

    code = "bump_too_low"
    title = "The change needs a higher version"


class Unchanged(Conflict):
    """The draft says the same as the version it would follow."""

    code = "unchanged"
    title = "Nothing to publish"


class NameTaken(Conflict):
    """Another object of this kind has the name."""

    code = "name_taken"
    title = "The name is taken"


class LintErrors(DomainError):
    """Findings of severity error; `errors` lists them with line and column."""

    code = "lint_errors"
    title = "The prompt has errors"


class MutableName(InvalidInput):
    """A name whose meaning can change where only a pinned one is allowed."""

    code = "mutable_name"
    title = "Pin an exact version"


class NotUsable(Conflict):
    """A withdrawn or archived artifact, which new releases may not use."""

    code = "not_usable"
    title = "New releases may not use this"


class DigestMismatch(Conflict):
    """Stored content and its digest disagree: it was altered outside the product, or the pin is of another instance."""

    code = "digest_mismatch"
    title = "The content does not match its digest"


class EndpointUnreachable(DomainError):
    """The probe got no usable answer, so the change did not take effect."""

    code = "endpoint_unreachable"
    title = "The endpoint does not answer"


class CaseExists(Conflict):
    """A case with this key says something else, or came from the same source."""

    code = "case_exists"
    title = "The case exists already"


class CaseErased(Conflict):
    """A case under this key, or from this source, was erased and does not come back."""

    code = "case_erased"
    title = "The case was erased"


class DangerCaseStays(Conflict):
    """The case of a former failure is never taken out."""

    code = "danger_case_stays"
    title = "Cases of the danger set stay"


class EmptyDataset(Conflict):
    """There is nothing to freeze."""

    code = "empty_dataset"
    title = "The dataset has no cases"


class ImportFindings(DomainError):
    """Lines of a file that cannot be imported; `errors` lists them."""

    code = "import_findings"
    title = "The file has faults"
