from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.rendering import (
    CostEstimate,
    ModelPrice,
    count_message_tokens,
    count_tokens,
    encoding_for,
    estimate_cost,
    tokens,
)


@pytest.fixture(scope="module", params=["o200k_base", "cl100k_base"])
def reference(request: pytest.FixtureRequest) -> tiktoken.Encoding:
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(tokens.__file__).parent / "data")
    try:
        return tiktoken.get_encoding(request.param)
    finally:
        del os.environ["TIKTOKEN_CACHE_DIR"]
        if before is not None:
            os.environ["TIKTOKEN_CACHE_DIR"] = before


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200))
def test_counts_equal_the_reference_tokenizer(reference: tiktoken.Encoding, text: str) -> None:
    counted = count_tokens(text, reference.name)
    assert counted.tokens == len(reference.encode_ordinary(text))
    assert counted.exact


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),
    [("hello world", 2, 2), ("", 0, 0), ("<|endoftext|>", 7, 7), ("antidisestablishmentarianism", 6, 6)],
)
def test_known_counts(text: str, o200k: int, cl100k: int) -> None:
    assert count_tokens(text, "o200k_base").tokens == o200k
    assert count_tokens(text, "cl100k_base").tokens == cl100k


def test_message_counts_follow_the_published_formula() -> None:
    # Every message costs a frame beside its text, and the answer is primed once.
    system = (
        "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."
    )
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "hello world"}]
    expected = 3 + (3 + 1 + count_tokens(system).tokens) + (3 + 1 + 2)
    assert count_message_tokens(messages).tokens == expected
    parts = [{"role": "user", "content": [{"type": "text", "text": "hello world"}, {"type": "image_url"}]}]
    assert count_message_tokens(parts).tokens == 3 + 3 + 1 + 2


@pytest.mark.parametrize(
    ("name", "encoding", "exact"),
    [
        ("o200k_base", "o200k_base", True),
        ("o200k_harmony", "o200k_base", True),
        ("GPT-4o-mini", "o200k_base", True),
        ("gpt-4", "cl100k_base", True),
        ("llama-3", "o200k_base", False),
        ("claude-sonnet", "o200k_base", False),
        ("text-davinci-003", "o200k_base", False),
        ("", "o200k_base", False),
    ],
)
def test_a_tokenizer_name_gives_an_encoding_and_says_if_it_is_exact(
    name: str, encoding: str, exact: bool
) -> None:
    chosen = encoding_for(name)
    assert (chosen.name, chosen.exact) == (encoding, exact)
    assert count_tokens("x", name).exact is exact


def test_a_run_of_white_space_that_overflows_the_tokenizer_is_estimated() -> None:
    counted = count_tokens("a" + " " * 1_000_000 + "b")
    assert counted.tokens > 1_000
    assert not counted.exact


def test_tables_load_without_network_and_leave_the_environment_alone() -> None:
    script = """
import os, socket
def refuse(*args, **kwargs): raise AssertionError("network")
socket.socket.connect = refuse
from registry.rendering import count_tokens
assert count_tokens("hello world", "cl100k_base").tokens == count_tokens("hello world").tokens == 2
assert os.environ.get("TIKTOKEN_CACHE_DIR") == "/nowhere"
"""
    environment = {**os.environ, "TIKTOKEN_CACHE_DIR": "/nowhere"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, timeout=60)


def test_a_damaged_table_is_an_error_and_not_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path(tokens.__file__).parent / "data"
    for file in data.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:10_000])
    monkeypatch.setattr(tokens, "_DATA", tmp_path)
    with pytest.raises(tokens.TokenTableError, match="reinstall"):
        tokens._encoding.__wrapped__("o200k_base")
    assert len(list(tmp_path.iterdir())) == len(list(data.iterdir()))


def test_an_explicit_price_is_exact_in_integers() -> None:
    price = ModelPrice(input_nanos_per_million=150_000_000, output_nanos_per_million=600_000_000)
    found = estimate_cost(input_tokens=1, output_tokens=0, tokens_exact=True, price=price)
    assert found == CostEstimate(
        per_call_nanos=150, per_1000_calls_nanos=150_000, exact=True, source="explicit"
    )
    tiny = estimate_cost(input_tokens=1, output_tokens=0, tokens_exact=False, price=ModelPrice(1_500, 0))
    assert tiny == CostEstimate(per_call_nanos=0, per_1000_calls_nanos=2, exact=False, source="explicit")


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**11), st.integers(0, 10**11))
def test_costs_are_whole_never_negative_and_a_thousand_calls_agree(a: int, b: int, p: int, q: int) -> None:
    found = estimate_cost(input_tokens=a, output_tokens=b, tokens_exact=True, price=ModelPrice(p, q))
    assert found is not None
    assert found.per_call_nanos >= 0
    assert abs(found.per_1000_calls_nanos - 1_000 * found.per_call_nanos) <= 500


def test_a_listed_model_is_an_estimate_with_its_source() -> None:
    at = datetime(2025, 6, 1, tzinfo=UTC)
    found = estimate_cost(
        input_tokens=1_000, output_tokens=100, tokens_exact=True, provider="openai", model_id="gpt-4o", at=at
    )
    assert found is not None
    assert found.per_call_nanos == 1_000 * 2_500 + 100 * 10_000
    assert not found.exact
    assert found.source.startswith("genai-prices ")


def test_an_unknown_model_has_no_price_and_absurd_counts_are_refused() -> None:
    unknown = {"provider": "openai", "model_id": "no-such-model-xyz"}
    assert estimate_cost(input_tokens=1, output_tokens=1, tokens_exact=True, **unknown) is None  # type: ignore[arg-type]
    assert estimate_cost(input_tokens=1, output_tokens=1, tokens_exact=True) is None
    with pytest.raises(ValueError, match="tokens"):
        estimate_cost(input_tokens=-1, output_tokens=1, tokens_exact=True)
