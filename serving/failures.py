"""What a caller is told when a model call failed.

The provider's own words go to the log: they may quote secrets.
"""

from __future__ import annotations

from promptstore.core.errors import DomainError
from providers import FailureKind, ProviderError

_SENTENCES = {
    FailureKind.TIMEOUT: "The model did not answer in time.",
    FailureKind.UNAVAILABLE: "The model cannot be reached.",
    FailureKind.RATE_LIMITED: "The model's provider takes no more calls right now.",
    FailureKind.UNAUTHORIZED: "The model's provider did not accept this installation's credential.",
    FailureKind.BAD_REQUEST: "The model's provider refused the request.",
    FailureKind.MALFORMED: "The model's provider sent something that is not an answer.",
    FailureKind.TOO_LARGE: "The model's answer was too large.",
    FailureKind.TRUNCATED: "The model's answer broke off.",
}


class UpstreamError(DomainError):
    """A model call that gave no usable answer; codes are `upstream_<kind>`."""

    code = "upstream_unavailable"
    status = 502
    title = "The model gave no usable answer"


def upstream_error(error: ProviderError) -> UpstreamError:
    """504 when it took too long, 502 for everything else; passes the provider's Retry-After on."""
    return UpstreamError(
        _SENTENCES[error.kind],
        code=f"upstream_{error.kind}",
        status=504 if error.kind is FailureKind.TIMEOUT else 502,
        extra={} if error.retry_after_s is None else {"retry_after_s": error.retry_after_s},
    )
