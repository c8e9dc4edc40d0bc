"""The commands of reports, from the shell's side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import cli_models
import cli_reports
from bootstrap import build
from data.records import Device
from tests.conftest import ADMIN, Stores


@pytest.fixture
def services(stores: Stores) -> Any:
    """The program's services on the test's own stores, with one heater."""
    stores.add(Device(id="wh-1", name="Boiler room"))
    built = build(stores.settings, stores.clock)
    yield built
    built.close()


@pytest.fixture
def run(stores: Stores, services: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line."""
    app = typer.Typer()
    app.add_typer(cli_reports.report_app, name="report")
    monkeypatch.setattr(cli_models, "_built", lambda: (stores.settings, services))
    monkeypatch.setattr(cli_reports.console, "width", 200)
    monkeypatch.setattr(cli_models.launch.errors, "width", 400)

    def command(*words: str | Path) -> Result:
        return CliRunner().invoke(app, ["report", *map(str, words)])

    return command


def test_a_report_is_written_to_a_file(run: Any, tmp_path: Path) -> None:
    """A PDF lies where it was asked for; what cannot be is said with status 2."""
    file = tmp_path / "fleet.pdf"
    asked = ("run", "--template", "fleet", "--from", "now-2d/d", "--to", "now/d")
    done = run(*asked, "--output", file)

    assert done.exit_code == 0, done.output
    assert file.read_bytes().startswith(b"%PDF-")
    wrong = run(*asked, "--format", "exe", "--output", file)
    assert wrong.exit_code == 2
    assert "format is one of" in wrong.stderr


def test_schedules_are_kept_by_commands(run: Any, services: Any) -> None:
    """Added, listed, switched off and on, removed; its report is listed."""
    added = run("schedule", "add", "Weekly", "--template", "fleet",
                "--cron", "0 6 * * 1", "--to-mail", "ops@example.org")  # fmt: skip
    assert "next at 2026-03-16 06:00Z" in added.output
    assert "ops@example.org" in run("schedule", "list").output
    assert "Weekly is off" in run("schedule", "enable", "1", "--off").output
    assert "Weekly is on" in run("schedule", "enable", "1").output
    (asked,) = services.reports.schedules.run_now(ADMIN, 1)
    assert asked.id in run("list").output
    assert "is removed" in run("schedule", "remove", "1").output
    assert "no such schedule" in run("schedule", "remove", "1").stderr
