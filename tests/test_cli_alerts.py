"""The commands of alert rules, from the shell's side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import cli_alerts
import cli_models
from bootstrap import build
from data.records import Device
from services.access import SYSTEM
from tests.conftest import Stores


@pytest.fixture
def run(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line on the test's own stores."""
    app = typer.Typer()
    app.add_typer(cli_alerts.alert_app, name="alert")
    monkeypatch.setattr(
        cli_models,
        "_built",
        lambda: (stores.settings, build(stores.settings, stores.clock)),
    )
    monkeypatch.setattr(cli_alerts.console, "width", 200)

    def command(*words: str | Path) -> Result:
        return CliRunner().invoke(app, ["alert", "rules", *map(str, words)])

    return command


def test_rules_go_out_are_changed_and_come_back(
    run: Any, stores: Stores, tmp_path: Path
) -> None:
    """Exported, edited, applied, listed; a bad file says which rule and why."""
    services = build(stores.settings, stores.clock)
    services.rules.seed()
    services.devices.register(SYSTEM, Device(id="wh-1", name="One"))
    services.close()
    text = run("export").stdout
    file = tmp_path / "rules.yaml"
    file.write_text(text.replace("severity: critical", "severity: high", 1))

    assert "1 changed" in run("apply", file).stdout
    assert "0 changed" in run("apply", file).stdout
    assert "tank-too-hot" in run("list").stdout
    looked = run("preview", file, "--days", "2").stdout
    assert "offline: 0 times" in looked
    assert "error_code is not kept for the past" in looked
    file.write_text(text.replace("metric: pressure_bar", "metric: pressure_psi", 1))
    refused = run("apply", file)
    assert refused.exit_code == 2
    assert "pressure_psi is no metric" in refused.stderr
    assert run("apply", tmp_path / "none.yaml").exit_code == 2
