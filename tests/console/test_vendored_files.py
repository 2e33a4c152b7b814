from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "static"
PACKAGES: list[dict[str, Any]] = tomllib.loads((STATIC / "vendor/VENDOR.toml").read_text(encoding="utf-8"))[
    "package"
]
FILES = [(package["name"], file["path"], file["sha256"]) for package in PACKAGES for file in package["files"]]


@pytest.mark.parametrize(("package", "path", "digest"), FILES)
def test_a_vendored_file_is_the_one_that_was_recorded(package: str, path: str, digest: str) -> None:
    assert hashlib.sha256((STATIC / path).read_bytes()).hexdigest() == digest, package


def test_every_vendored_file_is_recorded() -> None:
    recorded = {path for _, path, _ in FILES} | {"vendor/VENDOR.toml"}
    present = {str(path.relative_to(STATIC)) for path in (STATIC / "vendor").rglob("*") if path.is_file()}
    assert present <= recorded


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_a_vendored_package_names_its_version_licence_and_source(package: dict[str, Any]) -> None:
    assert package["version"]
    assert package["licence"] == "MIT"
    assert package["source"].startswith("https://")
    assert any(file["path"].endswith("LICENSE") for file in package["files"])


def test_stylesheets_load_nothing_from_elsewhere() -> None:
    for sheet in STATIC.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text, sheet
        assert "url(http" not in text.replace('url("http', "url(http"), sheet
