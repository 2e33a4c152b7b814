"""Addresses of model APIs, as raw HTTP calls write them."""

from __future__ import annotations

import re

_MODEL_APIS = (
    ("openai", r"api\.openai\.com/v1/(?:chat/completions|completions|responses|embeddings)"),
    ("azure openai", r"[\w-]+\.openai\.azure\.com/openai/"),
    ("anthropic", r"api\.anthropic\.com/v1/(?:messages|complete)"),
    ("google", r"(?:generativelanguage|[\w-]*aiplatform)\.googleapis\.com/"),
    ("cohere", r"api\.cohere\.(?:com|ai)/(?:v1|v2)/(?:chat|generate|embed)"),
    ("mistral", r"api\.mistral\.ai/v1/(?:chat|fim|embeddings)"),
    ("bedrock", r"bedrock-runtime\.[\w-]+\.amazonaws\.com/model/"),
    ("huggingface", r"(?:api-inference\.huggingface\.co|router\.huggingface\.co)/"),
    ("ollama", r"(?:localhost|127\.0\.0\.1):11434/(?:api/(?:chat|generate|embed)|v1/)"),
    ("openrouter", r"openrouter\.ai/api/v1/"),
    ("groq", r"api\.groq\.com/openai/v1/"),
    ("together", r"api\.together\.(?:xyz|ai)/v1/"),
    ("deepseek", r"api\.deepseek\.com/"),
    ("xai", r"api\.x\.ai/v1/"),
    ("perplexity", r"api\.perplexity\.ai/"),
    ("fireworks", r"api\.fireworks\.ai/inference/"),
)
_PATTERNS = [(name, re.compile(rf"https?://{pattern}", re.IGNORECASE)) for name, pattern in _MODEL_APIS]


def model_api(url: str) -> str:
    """The provider whose model API `url` is, or an empty text. A text that only mentions the address is not one."""
    text = url.strip()[:2_000]
    return next((name for name, pattern in _PATTERNS if pattern.match(text)), "")
