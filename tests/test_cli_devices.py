"""The commands of devices, from the shell's side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import cli_devices
import cli_models
from bootstrap import build
from tests.conftest import ADMIN, Stores


@pytest.fixture
def services(stores: Stores) -> Any:
    """The program's services on the test's own stores."""
    built = build(stores.settings, stores.clock)
    yield built
    built.close()


@pytest.fixture
def run(stores: Stores, services: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line."""
    app = typer.Typer()
    app.add_typer(cli_devices.device_app, name="device")
    monkeypatch.setattr(cli_models, "_built", lambda: (stores.settings, services))
    monkeypatch.setattr(cli_devices.console, "width", 200)
    monkeypatch.setattr(cli_models.launch.errors, "width", 400)

    def command(*words: str | Path) -> Result:
        return CliRunner().invoke(app, ["device", *map(str, words)])

    return command


def test_a_device_is_added_listed_and_taken_out_of_use(run: Any) -> None:
    """The whole life of a device by commands."""
    assert "wh-9 is registered" in run("add", "wh-9", "--name", "Attic").output
    assert "wh-9 exists already" in run("add", "wh-9").stderr
    assert "Attic" in run("list").output
    assert run("remove", "wh-9", "--yes").exit_code == 2
    assert "Attic is inactive" in run("deactivate", "wh-9").output
    assert "Attic is active" in run("activate", "wh-9").output
    run("deactivate", "wh-9")
    assert "say --yes" in run("remove", "wh-9").stderr
    assert "Attic is removed" in run("remove", "wh-9", "--yes").output
    assert "There is no device" in run("activate", "wh-9").stderr
    assert "Attic" not in run("list").output


def test_a_secret_is_printed_once_and_taken_away(run: Any, services: Any) -> None:
    """Standard output is the secret alone; it opens until it is revoked."""
    run("add", "wh-9")
    secret = run("credential", "wh-9").stdout.strip()
    assert services.credentials.check("wh-9", secret).device_id == "wh-9"

    assert "is void" in run("credential", "wh-9", "--revoke").output
    again = run("credential", "wh-9", "--revoke")
    assert again.exit_code == 2
    assert "has no credential" in again.stderr


def test_the_password_file_is_private_and_whole(run: Any, tmp_path: Path) -> None:
    """An old file, whatever its mode, is replaced by one for its owner alone."""
    file = tmp_path / "passwords"
    file.write_text("old")
    file.chmod(0o644)
    run("add", "wh-9")
    run("credential", "wh-9")
    said = run("passwords", file)

    assert "has 1 device." in said.output
    assert file.read_text().startswith("wh-9:$7$101$")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in tmp_path.iterdir() if f.name.startswith(".pass")] == []
    assert run("passwords", tmp_path / "none" / "file").exit_code == 2


def test_a_list_is_imported(run: Any, services: Any, tmp_path: Path) -> None:
    """Good rows go in, refused ones are told with their reason, and the status says."""
    file = tmp_path / "list.csv"
    file.write_text("id,name,colour\na,A,red\nb c,B,red\n")
    tried = run("import", file, "--dry-run")
    assert "1 would be registered, 1 refused" in tried.output
    assert services.devices.list(ADMIN) == []

    done = run("import", file)
    assert done.exit_code == 1
    assert "Columns not used: colour" in done.output
    assert "1 to 64" in done.output
    assert [device.name for device in services.devices.list(ADMIN)] == ["A"]
    assert "exists already" in run("import", file).output
    assert run("import", tmp_path / "none.csv").exit_code == 2
