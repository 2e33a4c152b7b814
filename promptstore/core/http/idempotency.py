"""`Idempotency-Key` on writes: the same key and body get the first answer again, never a second effect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
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

KEEP = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=2)
MAX_KEY_CHARS = 200


class IdempotentView(APIView):
    """A DRF view with a bounded body, whose POSTs honour `Idempotency-Key`.

    409 `idempotency_key_reused` for another body under the same key, 409 `idempotency_in_progress` while the first call runs.
    """

    _reservation: IdempotentReply | None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        _require_small(request)
        refuse_large_body(request)
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > MAX_KEY_CHARS:
            raise InvalidInput(f"Use at most {MAX_KEY_CHARS} characters.", field="Idempotency-Key")
        if request.method == "POST" and key:
            self._reservation = self._reserve(request, key)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self._reservation = None
        try:
            response = super().dispatch(request, *args, **kwargs)
        except BaseException:
            self._release()
            raise
        self._keep(response)
        return response

    def _release(self) -> None:
        """Nothing was done for certain: a retry may try again."""
        if self._reservation is not None:
            self._reservation.delete()

    def _reserve(self, request: Request, key: str) -> IdempotentReply:
        digest = digest_bytes(f"{request.path}\n".encode() + request._request.body)  # noqa: SLF001 - DRF's wrapped request
        caller = f"{actor_of(request).kind}:{actor_of(request).id}"
        IdempotentReply.objects.filter(caller=caller, key=key, created_at__lt=clock.now() - KEEP).delete()
        IdempotentReply.objects.filter(
            caller=caller, key=key, status__isnull=True, created_at__lt=clock.now() - ABANDONED_AFTER
        ).delete()
        try:
            with transaction.atomic():
                return IdempotentReply.objects.create(caller=caller, key=key, request_digest=digest)
        except IntegrityError:
            kept = IdempotentReply.objects.get(caller=caller, key=key)
        if kept.request_digest != digest:
            raise Conflict(
                "This Idempotency-Key was used with another request.",
                code="idempotency_key_reused",
                field="Idempotency-Key",
            )
        if kept.status is None:
            raise Conflict(
                "The first request with this key is still running.", code="idempotency_in_progress"
            )
        raise _Replayed(kept)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _Replayed):
            return _replay(exc.kept)
        return super().handle_exception(exc)

    def _keep(self, response: HttpResponseBase) -> None:
        reservation = self._reservation
        if reservation is None:
            return
        if response.status_code >= 500:
            self._release()
            return
        if isinstance(response, Response):
            response.render()
        reservation.status = response.status_code
        reservation.body = getattr(response, "content", b"")
        reservation.content_type = response.headers.get("Content-Type", "")
        reservation.save(update_fields=["status", "body", "content_type"])


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
