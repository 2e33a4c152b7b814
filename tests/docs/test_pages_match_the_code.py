"""Documentation cannot rot: what exists is documented, and what is documented exists."""

from __future__ import annotations

import re

import pytest

from promptstore.core.errors import DomainError
from serving import openapi
from telemetry.metrics.catalogue import CATALOGUE
from tests.architecture.sources import ROOT, repository_files
from tests.cli.commands import COMMANDS, Command
from tests.docs import found_in_code
from tests.docs.markdown import first_cells, page, rows, sections

# Options that docs/cli.md explains once for all commands.
_EVERYWHERE = {"--json", "--project", "--token-file"}


def test_every_environment_variable_is_documented() -> None:
    read = found_in_code.environment_variables()
    missing = {
        name: where for name, where in read.items() if name not in first_cells(page("configuration.md"))
    }
    assert not missing, f"explain in docs/configuration.md: {missing}"


def test_no_environment_variable_is_documented_that_nothing_reads() -> None:
    assert set(first_cells(page("configuration.md"))) <= found_in_code.environment_variables().keys()


def test_every_prometheus_metric_is_documented_and_no_other() -> None:
    documented = {name for name in first_cells(page("metrics.md")) if name.startswith("promptstore_")}
    assert documented == found_in_code.metrics().keys()


def test_every_metric_of_rules_is_documented_with_its_direction() -> None:
    documented = {
        name: row[1] for name, row in rows(page("metrics.md")).items() if not name.startswith("promptstore_")
    }
    assert documented == {name: metric.direction.value.split("_")[0] for name, metric in CATALOGUE.items()}


def test_every_error_code_is_documented() -> None:
    documented = first_cells(page("errors.md"))
    missing = {code: where for code, where in found_in_code.error_codes().items() if code not in documented}
    assert not missing, f"explain in docs/errors.md: {missing}"


def test_no_error_code_is_documented_twice_or_that_nothing_uses() -> None:
    documented = first_cells(page("errors.md"))
    assert len(documented) == len(set(documented))
    assert set(documented) <= found_in_code.error_codes().keys()


def test_documented_statuses_are_those_of_the_error_classes() -> None:
    documented = rows(page("errors.md"))
    wrong = {
        error.code: (documented[error.code][1], error.status)
        for error in found_in_code.domain_errors()
        if error.code != DomainError.code and documented[error.code][1] != str(error.status)
    }
    assert not wrong


def test_the_serving_apis_codes_are_documented_with_their_statuses() -> None:
    documented = rows(page("errors.md"))
    wrong = {
        code: status
        for code, (status, _) in openapi.ERROR_CODES.items()
        if code not in documented or documented[code][1] != str(status)
    }
    assert not wrong


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_documented_with_all_its_options(command: Command) -> None:
    text = sections(page("cli.md"), "promptctl ")[command.name]
    assert set(first_cells(text)) == command.help.keys() - _EVERYWHERE


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert sections(page("cli.md"), "promptctl ").keys() == {command.name for command in COMMANDS}


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for path in repository_files():
        if path.suffix != ".md" or "vendor" in path.parts:
            continue
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8")):
            if not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)} → {target}")
    assert not broken
