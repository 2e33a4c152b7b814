"""`.importlinter` holds the layers; here: that it is kept, and that nothing slips past its lists."""

from __future__ import annotations

import configparser
import tomllib

import pytest
from importlinter.cli import lint_imports

from tests.architecture.sources import ROOT, modules

# Runs in the control plane: writes what nodes read.
CONTROL_PLANE = {
    "serving.apps",
    "serving.handlers",
    "serving.models",
    "serving.publisher",
    "serving.restoring",
    "serving.services",
    "serving.tasks",
}


@pytest.fixture(scope="module")
def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    return parser


def listed(contracts: configparser.ConfigParser, section: str, option: str) -> set[str]:
    return set(contracts[section][option].split())


def test_every_import_contract_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    kept = lint_imports(config_filename=".importlinter", no_cache=True, verbose=False) == 0
    assert kept, capsys.readouterr().out


def test_every_serving_module_is_either_request_path_or_control_plane(
    contracts: configparser.ConfigParser,
) -> None:
    request_path = listed(contracts, "importlinter:contract:serving", "source_modules")
    there = {module.name for module in modules() if module.name.startswith("serving.")}
    assert request_path == {name for name in there if name not in CONTROL_PLANE}


def test_every_package_of_the_product_is_under_contract(contracts: configparser.ConfigParser) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert listed(contracts, "importlinter", "root_packages") == packages
    layered = {name.split(".")[0] for name in listed(contracts, "importlinter:contract:layers", "layers")}
    assert packages <= layered


def test_every_state_machine_is_in_the_pure_contract(contracts: configparser.ConfigParser) -> None:
    pure = listed(contracts, "importlinter:contract:pure", "source_modules")
    machines = {module.name for module in modules() if module.name.endswith(".states")}
    assert machines <= pure
