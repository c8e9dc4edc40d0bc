"""The command line of devices: register, credentials, life cycle."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli_models import fail, opened
from data.records import Device
from services.access import SYSTEM
from services.device_lists import MOST_BYTES, ListPlan
from services.devices import NEXT_LIFE

device_app = typer.Typer(help="Manage devices.", no_args_is_help=True)
console = Console()

MOST_TOLD = 50
"""Refused rows of a list that are shown; all are counted."""


@device_app.command(name="list")
def device_list() -> None:
    """List the devices."""
    table = Table("Id", "Name", "Make and model", "Life cycle", "Simulated")
    with opened() as (_settings, services):
        found = services.devices.list(SYSTEM)
    for device in found:
        make = " ".join(part for part in (device.manufacturer, device.model) if part)
        simulated = "yes" if device.simulated else "no"
        table.add_row(device.id, device.name, make or "–", device.life_cycle, simulated)
    console.print(table)


@device_app.command(name="add")
def device_add(device_id: str, name: str | None = None) -> None:
    """Register a device; its other facts are edited on the Fleet tab."""
    with opened() as (_settings, services):
        services.devices.register(SYSTEM, Device(id=device_id, name=name or device_id))
    _say(f"{device_id} is registered.")


@device_app.command(name="credential")
def device_credential(
    device_id: str,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it away.")] = False,
) -> None:
    """Print a new secret for HTTP and MQTT, once; the one before is void."""
    with opened() as (_settings, services):
        if revoke:
            services.credentials.revoke(SYSTEM, device_id)
            _say(f"The secret of {device_id} is void.")
            return
        secret = services.credentials.issue(SYSTEM, device_id)
    # Plain, so that a script can take it; the words go to the error stream.
    typer.echo(secret)
    typer.echo(
        f"This is the secret of {device_id}. It is not shown again; for a broker, "
        "write its password file anew.",
        err=True,
    )


@device_app.command(name="activate")
def device_activate(device_id: str) -> None:
    """Take a device into use: its readings and its secret are taken."""
    _set_life(device_id, "active")


@device_app.command(name="deactivate")
def device_deactivate(device_id: str) -> None:
    """Take a device out of use: its readings and its secret are refused."""
    _set_life(device_id, "inactive")


@device_app.command(name="remove")
def device_remove(
    device_id: str,
    yes: Annotated[bool, typer.Option("--yes", help="Needed: this is final.")] = False,
) -> None:
    """Remove an inactive or pending device for good; its id is not used again."""
    with opened() as (_settings, services):
        device = services.devices.get(SYSTEM, device_id)
        if not yes and "removed" in NEXT_LIFE[device.life_cycle]:
            fail(f"{device.name} would be removed for good: say --yes")
    _set_life(device_id, "removed")


@device_app.command(name="import")
def device_import(
    file: Annotated[Path, typer.Argument(help="CSV; columns are named as the fields.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
) -> None:
    """Register a list of devices: every good row, all of them or none."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    with opened() as (_settings, services):
        plan = services.device_lists.plan(SYSTEM, raw)
        _tell(plan)
        if plan.devices and not dry_run:
            services.device_lists.register(SYSTEM, raw)
    verb = "would be registered" if dry_run else "are registered"
    _say(f"{len(plan.devices)} {verb}, {len(plan.refused)} refused.")
    raise typer.Exit(1 if plan.refused else 0)


@device_app.command(name="passwords")
def device_passwords(
    file: Annotated[Path, typer.Argument(help="Is replaced, readable by you alone.")],
) -> None:
    """Write Mosquitto's password file: every device in use that has a secret.

    Tell a running broker to read it: kill -HUP.
    """
    with opened() as (_settings, services):
        text = services.credentials.password_file(SYSTEM)
    try:
        _write_private(file, text)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    count = len(text.splitlines())
    _say(f"{file} has {count} device{'' if count == 1 else 's'}.")


def _write_private(file: Path, text: str) -> None:
    """Replace a file at once by one that only its owner may read."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".passwords-")  # 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _set_life(device_id: str, life_cycle: str) -> None:
    with opened() as (_settings, services):
        device = services.devices.set_life_cycle(SYSTEM, device_id, life_cycle)
    _say(f"{device.name} is {device.life_cycle}.")


def _tell(plan: ListPlan) -> None:
    if plan.ignored:
        _say(f"Columns not used: {', '.join(plan.ignored)}.")
    if plan.refused:
        table = Table("Row", "Id", "Not registered because")
        for row in plan.refused[:MOST_TOLD]:
            table.add_row(str(row.row), row.device_id, row.reason)
        console.print(table)


def _say(words: str) -> None:
    console.print(words, highlight=False, markup=False)
