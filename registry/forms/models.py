from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django import forms

from registry.entries import EntryKind
from registry.forms.json_text import JSONTextField, pretty
from registry.models import ModelVersion

NANOS_PER_DOLLAR: Final = 1_000_000_000

# Boxes of the form that are members of a JSON column: column → member → box.
MEMBERS: Final[dict[str, dict[str, str]]] = {
    "weights": {
        "format": "weights_format",
        "parameters": "weights_parameters",
        "dtype": "weights_dtype",
        "licence": "weights_licence",
        "shards": "weights_shards",
    },
    "training": {
        "commit": "training_commit",
        "dataset_snapshot_digest": "training_dataset",
        "build_number": "training_build",
    },
    "tokenizer": {"name": "tokenizer_name", "version": "tokenizer_version"},
    "runtime": {
        "image": "runtime_image",
        "cuda": "runtime_cuda",
        "quantization": "runtime_quantization",
        "transforms": "runtime_transforms",
    },
    "service_level": {"latency_p95_ms": "promised_latency_ms", "availability_bp": "promised_availability_bp"},
}
PLACES: Final[dict[str, str]] = {
    **{f"{column}.{member}": box for column, members in MEMBERS.items() for member, box in members.items()},
    "weights": "weights_format",
    "tokenizer": "tokenizer_name",
    "price": "price_input",
}
SECTIONS: Final = (
    (
        "Identity",
        ("name", "version", "kind", "provider", "provider_model_id", "endpoint", "snapshot_at", "checksum"),
    ),
    (
        "Weights",
        ("weights_format", "weights_parameters", "weights_dtype", "weights_licence", "weights_shards"),
    ),
    ("Training", ("training_commit", "training_dataset", "training_build")),
    ("Tokenizer and runtime", tuple(MEMBERS["tokenizer"].values()) + tuple(MEMBERS["runtime"].values())),
    ("Use", ("context_tokens", "price_input", "price_output", "params")),
    ("Promises and metrics", ("promised_latency_ms", "promised_availability_bp", "metrics")),
    ("Note", ("changelog",)),
)


def _text(label: str, help_text: str = "", max_length: int = 300) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        max_length=max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )


class ModelForm(forms.Form):
    """An entry of the model registry as people type it."""

    name = forms.CharField(
        max_length=80, help_text="What releases call the model, such as config-assistant-model."
    )
    version = forms.CharField(max_length=80, help_text="A semantic version above the latest, such as 1.3.0.")
    kind = forms.ChoiceField(
        choices=[
            (EntryKind.HOSTED.value, "Hosted by a provider"),
            (EntryKind.SELF_HOSTED.value, "Self-hosted"),
        ]
    )
    provider = forms.CharField(max_length=60, help_text="Who runs it: openai, anthropic, vllm, local…")
    provider_model_id = forms.CharField(
        max_length=200,
        label="Model id",
        help_text="The exact id to ask for. An alias such as …-latest is refused: it can change its meaning.",
    )
    endpoint = forms.ChoiceField(help_text="How it is reached.")
    snapshot_at = forms.DateTimeField(
        required=False,
        label="Snapshot taken",
        help_text="Hosted models: when the provider's model was looked at, in UTC.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    checksum = _text("Checksum", "Self-hosted models: sha256: and 64 hex digits of the weights.", 80)
    weights_format = _text("Format", "gguf, safetensors…", 40)
    weights_parameters = forms.IntegerField(
        required=False, min_value=1, label="Parameters", help_text="How many."
    )
    weights_dtype = _text("Number type", "bf16, q4_k_m…", 40)
    weights_licence = _text("Licence", "SPDX identifier or name.", 100)
    weights_shards = JSONTextField(
        label="Shards", rows=3, help_text='JSON: [{"name": …, "checksum": "sha256:…"}]'
    )
    training_commit = _text("Training commit", "Commit hash in lower-case hex.", 64)
    training_dataset = _text("Dataset snapshot", "sha256:… of the training data.", 71)
    training_build = _text("Build number", "", 80)
    tokenizer_name = _text("Tokenizer")
    tokenizer_version = _text("Tokenizer version", "", 80)
    runtime_image = _text("Inference image", "With a tag or digest; latest is refused.")
    runtime_cuda = _text("CUDA version", "", 40)
    runtime_quantization = _text("Quantization", "", 80)
    runtime_transforms = _text("Transforms", "What was done to the model, separated by commas.")
    context_tokens = forms.IntegerField(
        required=False, min_value=1, label="Context window", help_text="In tokens."
    )
    price_input = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=15,
        decimal_places=9,
        label="Price of input",
        help_text="Dollars per million tokens.",
    )
    price_output = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=15,
        decimal_places=9,
        label="Price of output",
        help_text="Dollars per million tokens.",
    )
    params = JSONTextField(label="Parameters of every call", rows=3, help_text='JSON: {"temperature": 0}')
    promised_latency_ms = forms.IntegerField(
        required=False, min_value=1, label="Promised latency", help_text="95th percentile, in milliseconds."
    )
    promised_availability_bp = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=10_000,
        label="Promised availability",
        help_text="In basis points: 9990 is 99.9 %.",
    )
    metrics = JSONTextField(label="Evaluation metrics", rows=3, help_text='JSON: {"exact_match": 0.91}')
    changelog = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), label="What changed"
    )

    def __init__(self, *args: Any, endpoints: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["endpoint"]
        assert isinstance(field, forms.ChoiceField), "declared above"
        field.choices = [(name, name) for name in endpoints]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if (cleaned.get("price_input") is None) != (cleaned.get("price_output") is None):
            empty = "price_input" if cleaned.get("price_input") is None else "price_output"
            self.add_error(empty, "Give both prices, or none.")
        return cleaned

    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The boxes under their headings."""
        return [(title, [self[name] for name in names]) for title, names in SECTIONS]

    def entry(self) -> dict[str, Any]:
        """The entry as `registry.entries` reads it, without what was left empty."""
        typed = self.cleaned_data
        entry: dict[str, Any] = {
            name: typed[name]
            for name in ("kind", "provider", "provider_model_id", "endpoint", "snapshot_at", "checksum")
        }
        for column, members in MEMBERS.items():
            entry[column] = {
                member: typed[box] for member, box in members.items() if typed[box] not in (None, "")
            }
        if transforms := entry["runtime"].get("transforms"):
            entry["runtime"]["transforms"] = [part.strip() for part in transforms.split(",") if part.strip()]
        entry["metrics"], entry["params"] = typed["metrics"] or {}, typed["params"] or {}
        entry["context_tokens"] = typed["context_tokens"]
        if typed["price_input"] is not None:
            entry["price"] = {
                "input_nanos_per_mtok": _nanos(typed["price_input"]),
                "output_nanos_per_mtok": _nanos(typed["price_output"]),
            }
        return entry


def next_entry(row: ModelVersion) -> dict[str, Any]:
    """What the form starts with for the version after `row`: everything but the version and when it was looked at."""
    initial: dict[str, Any] = {
        "name": row.model.name,
        "kind": row.kind,
        "provider": row.provider,
        "provider_model_id": row.provider_model_id,
        "endpoint": row.endpoint.name,
        "context_tokens": row.context_tokens,
    }
    for column, members in MEMBERS.items():
        values = getattr(row, column)
        initial |= {box: values[member] for member, box in members.items() if member in values}
    if "runtime_transforms" in initial:
        initial["runtime_transforms"] = ", ".join(initial["runtime_transforms"])
    if "weights_shards" in initial:
        initial["weights_shards"] = pretty(initial["weights_shards"])
    initial |= {name: pretty(getattr(row, name)) for name in ("params", "metrics") if getattr(row, name)}
    if row.price:
        initial["price_input"] = Decimal(row.price["input_nanos_per_mtok"]) / NANOS_PER_DOLLAR
        initial["price_output"] = Decimal(row.price["output_nanos_per_mtok"]) / NANOS_PER_DOLLAR
    return initial


def _nanos(dollars: Decimal) -> int:
    return int(dollars * NANOS_PER_DOLLAR)
