from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.notifications import signing
from tests.incidents.channel_cast import SECRET


def accepted(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """The reference rule, as a receiver applies it: any of the signatures fits `id.timestamp.body`."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.split("_", 1)[1])
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    versions = [entry.split(",", 1) for entry in headers["webhook-signature"].split(" ")]
    return any(v == "v1" and hmac.compare_digest(given_, wanted) for v, given_ in versions)


def test_the_specifications_example_is_signed_as_it_says() -> None:
    made = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', secrets_=[SECRET]
    )
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(body=st.binary(max_size=200), at=st.integers(0, 2**40))
def test_a_receiver_accepts_the_old_and_the_new_secret_and_no_other(body: bytes, at: int) -> None:
    old, new, other = signing.new_secret(), signing.new_secret(), signing.new_secret()
    headers = signing.headers("msg_1", at, body, secrets_=[new, old])
    assert accepted(headers, body, new)
    assert accepted(headers, body, old)
    assert not accepted(headers, body, other)
    assert not accepted(headers, body + b" ", new)
    assert not accepted({**headers, "webhook-timestamp": str(at + 1)}, body, new)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_!!!",
        SECRET.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_a_secret_of_another_shape_is_refused(secret: str) -> None:
    with pytest.raises(ValueError):
        signing.key_of(secret)
