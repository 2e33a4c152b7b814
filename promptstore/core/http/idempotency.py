"""`Idempotency-Key` on writes: the same key and body get the first answer again, never a second effect."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promptstore.core import clock
from promptstore.core.digests import digest_bytes
from promptstore.core.errors import Conflict, InvalidInput
from promptstore.core.http.authentication import actor_of
from promptstore.core.http.parsers import loads, refuse_large_body
from promptstore.core.models import IdempotentReply

log = structlog.get_logger("api")
KEEP = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=2)
MAX_KEY_CHARS = 200


class IdempotentView(APIView):
    """A DRF view with a bounded body, whose POSTs honour `Idempotency-Key`.

    409 `idempotency_key_reused` for another body under the same key, 409 `idempotency_in_progress` while the first call runs.
    """

    _reservation: IdempotentReply | None
    _unit: ExitStack

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        _require_small(request)
        refuse_large_body(request)
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > MAX_KEY_CHARS:
            raise InvalidInput(f"Use at most {MAX_KEY_CHARS} characters.", field="Idempotency-Key")
        if request.method == "POST" and key:
            self._reservation = self._reserve(request, key)
            # The answer commits with the effect: after a COMMIT whose outcome nobody learned, the key's row tells it.
            self._unit.enter_context(transaction.atomic())

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self._reservation = None
        try:
            with ExitStack() as self._unit:
                response = self._keep(super().dispatch(request, *args, **kwargs))
        except BaseException:
            self._release()
            raise
        if response.status_code >= 500:
            self._release()
        return response

    def _release(self) -> None:
        """A retry may try again, unless the first answer is committed after all."""
        if self._reservation is None:
            return
        try:
            _forget(Q(pk=self._reservation.pk, status__isnull=True))
        except DatabaseError as error:  # it is away: the reservation is abandoned in time
            log.warning("idempotency.not_released", error=type(error).__name__)

    def _reserve(self, request: Request, key: str) -> IdempotentReply:
        digest = digest_bytes(f"{request.path}\n".encode() + request._request.body)  # noqa: SLF001 - DRF's wrapped request
        caller = f"{actor_of(request).kind}:{actor_of(request).id}"
        now = clock.now()
        over = Q(created_at__lt=now - KEEP) | Q(status__isnull=True, created_at__lt=now - ABANDONED_AFTER)
        _forget(over & Q(caller=caller, key=key))
        try:
            with transaction.atomic():
                return IdempotentReply.objects.create(caller=caller, key=key, request_digest=digest)
        except IntegrityError:
            kept = IdempotentReply.objects.filter(caller=caller, key=key).first()
        if kept is not None and kept.request_digest != digest:
            raise Conflict(
                "This Idempotency-Key was used with another request.",
                code="idempotency_key_reused",
                field="Idempotency-Key",
            )
        if kept is None or kept.status is None:
            raise _in_progress()
        raise _Replayed(kept)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _Replayed):
            return _replay(exc.kept)
        return super().handle_exception(exc)

    def _keep(self, response: HttpResponseBase) -> HttpResponseBase:
        """Store the answer beside the effect; of a failure, undo both."""
        if self._reservation is None:
            return response
        if response.status_code >= 500:
            transaction.set_rollback(True)
            return response
        if isinstance(response, Response):
            response.render()
        kept = IdempotentReply.objects.filter(pk=self._reservation.pk, status__isnull=True).update(
            status=response.status_code,
            body=getattr(response, "content", b""),
            content_type=response.headers.get("Content-Type", ""),
        )
        if not kept:
            # So slow that the reservation counted as abandoned: whoever has taken the key over acts in our place.
            transaction.set_rollback(True)
            return self.finalize_response(self.request, self.handle_exception(_in_progress()))
        return response


def _in_progress() -> Conflict:
    return Conflict("The first request with this key is still running.", code="idempotency_in_progress")


def _forget(which: Q) -> None:
    """Delete reservations, but none that a transaction is just about to answer, be it one whose client is gone."""
    with transaction.atomic():
        free = IdempotentReply.objects.select_for_update(skip_locked=True).filter(which)
        IdempotentReply.objects.filter(pk__in=list(free.values_list("pk", flat=True))).delete()


def _require_small(request: Request) -> None:
    """Before anything reads the body: DRF's parsers do not know Django's limit."""
    declared = request.headers.get("Content-Length") or "0"
    if not declared.isdigit() or int(declared) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        raise InvalidInput(
            f"The body is larger than {limit} KB.", code="body_too_large", field="body", status=413
        )


class _Replayed(Exception):
    def __init__(self, kept: IdempotentReply) -> None:
        self.kept = kept


def _replay(kept: IdempotentReply) -> Response:
    body = loads(bytes(kept.body or b"").decode()) if kept.body else None
    response = Response(body, status=kept.status, content_type=kept.content_type or None)
    response["Idempotent-Replay"] = "true"
    return response
