"""Pin tokens: a conversation keeps its arm while the rollout that gave it lives."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

import orjson

from releases.routing import Arm

_MAC_BYTES = 16
_MAX_CHARS = 600
_MAX_ISSUED = 10_000


@dataclass(frozen=True, slots=True)
class Pin:
    """What a token says: this feature, in this environment, on this arm of this rollout."""

    environment_id: str
    feature: str
    arm: Arm
    rollout_id: str | None


class Pins:
    """Signs and reads tokens: base64url of a JSON list and of the first 16 bytes of its HMAC-SHA-256."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._issued: dict[Pin, str] = {}

    def issue(self, pin: Pin) -> str:
        """The token of a pin. All conversations of one arm share it, so it is signed once."""
        token = self._issued.get(pin)
        if token is None:
            if len(self._issued) >= _MAX_ISSUED:
                self._issued.clear()
            token = self._issued[pin] = self._sign(pin)
        return token

    def _sign(self, pin: Pin) -> str:
        payload = orjson.dumps([pin.environment_id, pin.feature, pin.arm, pin.rollout_id])
        return f"{_encode(payload)}.{_encode(self._mac(payload))}"

    def read(self, token: str) -> Pin | None:
        """The pin, or None for anything that this installation did not sign.

        A bad pin is no error, it pins nothing.
        """
        if len(token) > _MAX_CHARS:
            return None
        payload_text, _, mac_text = token.partition(".")
        try:
            payload, mac = _decode(payload_text), _decode(mac_text)
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(mac, self._mac(payload)):
            return None
        environment_id, feature, arm, rollout_id = orjson.loads(payload)
        return Pin(environment_id, feature, Arm(arm), rollout_id)

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, hashlib.sha256)[:_MAC_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
