"""The command line: ``python cli.py --help``."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

import bootstrap
import bootstrap_worker
import cli_alerts
import cli_devices
import cli_models
import cli_reports
import launch
import launch_demo
from data.flush import AnotherWriter
from data.migrate import WrongSchema, check, current, head
from data.session import open_engine
from reporting import import_progress, import_tables, plan_tables, steps
from services.access import SYSTEM, Role
from services.errors import ServiceError
from services.imports import ImportOptions
from settings import Settings
from workers import processes, worker
from workers.demo_models import DemoModelsLoop
from workers.demo_radio import DemoRadio
from workers.monitor import MonitorLoop
from workers.plans import PlansLoop
from workers.reports import ReportLoop
from workers.simulator import Simulator, TalkLoop

app = typer.Typer(help="IoTSphere", no_args_is_help=True, add_completion=False)
import_app = typer.Typer(help="Import files.", no_args_is_help=True)
user_app = typer.Typer(help="Manage users.", no_args_is_help=True)
db_app = typer.Typer(help="The operational database.", no_args_is_help=True)
audit_app = typer.Typer(help="The audit log.", no_args_is_help=True)
app.add_typer(import_app, name="import")
app.add_typer(user_app, name="user")
app.add_typer(cli_devices.device_app, name="device")
app.add_typer(db_app, name="db")
app.add_typer(audit_app, name="audit")
app.add_typer(cli_models.model_app, name="model")
app.add_typer(cli_models.reference_app, name="reference")
app.add_typer(cli_reports.report_app, name="report")
app.add_typer(cli_alerts.alert_app, name="alert")
import_app.command(name="inferences")(cli_models.import_inferences)
import_app.command(name="labels")(cli_models.import_labels)
console = Console()


def fail(message: object) -> NoReturn:
    """Say what is wrong and end with status 2."""
    launch.say_error(message)
    raise typer.Exit(2)


def load_settings(**overrides: object) -> Settings:
    """The settings, or an error that names what is wrong with them."""
    try:
        return launch.load_settings(**overrides)
    except launch.CannotStart as error:
        fail(error)


def opened(settings: Settings | None = None) -> tuple[Settings, bootstrap.Services]:
    """Settings and services on a database of the right schema."""
    settings = settings or load_settings()
    try:
        services = bootstrap.build(settings)
        engine = open_engine(settings.operational_url)
        check(engine)
        engine.dispose()
    except (WrongSchema, ValueError) as error:
        fail(error)
    return settings, services


@app.command()
def demo() -> None:
    """Make the simulated fleet with its history, where there is none."""
    settings = load_settings(demo=True)
    bootstrap.migrate(settings)
    launch_demo.make_demo(settings, judged=True)


@app.command()
def serve() -> None:
    """Serve the web application alone; the worker is started apart."""
    settings, services = opened()
    services.close()
    raise typer.Exit(
        processes.supervise(
            processes.start(settings, [processes.web_command(settings)])
        )
    )


@app.command(name="worker")
def run_worker() -> None:
    """Run the worker: lake, models, devices on MQTT, the demo's simulation."""
    settings, services = opened()
    demo = settings.demo and services.demo.exists
    try:
        loop = bootstrap.build_flush_loop(settings)
        link = bootstrap_worker.build_demo_link(settings, services) if demo else None
    except (AnotherWriter, ServiceError) as error:
        fail(error)
    parts: list[worker.Part] = [
        MonitorLoop(services.judging),
        PlansLoop(services.care.plans, services.care.bulk),
        ReportLoop(services.reports),
        bootstrap_worker.build_alert_loop(settings, services),
        bootstrap_worker.build_outbox_loop(settings, services),
    ]
    if settings.mqtt_host is not None:
        parts.append(bootstrap_worker.build_mqtt_loop(settings, services))
    if isinstance(link, DemoRadio):
        parts.append(link)
    elif settings.mqtt_host is None:
        parts.append(TalkLoop(services.courier, link))
    if demo:
        parts += [
            Simulator(services.demo, settings.demo_speed),
            DemoModelsLoop(services.demo_models),
        ]
    beat = bootstrap_worker.build_heartbeat(settings, services, [loop, *parts])
    raise typer.Exit(worker.run(loop, [*parts, beat]))


@import_app.command(name="telemetry")
def import_telemetry(
    files: Annotated[list[Path], typer.Argument(help="CSV, Parquet or JSON lines.")],
    device: Annotated[
        str | None, typer.Option(help="Device id for files without such a column.")
    ] = None,
    maps: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=field[:UNIT], repeatable.")
    ] = None,
    tz: Annotated[str | None, typer.Option(help="Zone of times without one.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the mapping.")
    ] = False,
    rejects: Annotated[
        Path, typer.Option(help="Where refused rows are written.")
    ] = Path("rejects.csv"),
) -> None:
    """Import readings of water heaters; the same reading twice counts once."""
    settings, services = opened()
    options = ImportOptions(device=device, maps=tuple(maps or ()), tz=tz)
    try:
        plan = services.imports.plan(SYSTEM, files, options)
        plan_tables(console, plan)
        if dry_run or not plan.ready:
            raise typer.Exit(0 if plan.ready else 2)
        with import_progress(console) as progress:
            result = services.imports.run(SYSTEM, plan, rejects, progress)
    except ServiceError as error:
        fail(error)
    import_tables(console, result)
    try:
        loop = bootstrap.build_flush_loop(settings)
    except AnotherWriter:
        console.print("The running worker moves the readings into the lake.")
    else:
        with steps() as step:
            progress_lake = step("Writing the lake")
            loop.drain(lambda moved: progress_lake(moved, max(moved, result.taken)))
        loop.close()
    services.close()
    raise typer.Exit(1 if any(file.problem for file in result.files) else 0)


def ask_password() -> str:
    """A password typed twice, or one line of standard input when it is piped."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        fail("the two passwords differ")
    return first


@user_app.command(name="add")
def user_add(username: str, role: str = "viewer") -> None:
    """Add a user; roles are viewer, operator and admin. Asks for the password."""
    _settings, services = opened()
    names = [r.name.lower() for r in Role if r is not Role.SYSTEM]
    if role.lower() not in names:
        fail(f"{role!r} is no role: choose {', '.join(names)}")
    try:
        services.accounts.add(SYSTEM, username, Role[role.upper()], ask_password())
    except ServiceError as error:
        fail(error)
    console.print(f"{username} can sign in as {role.lower()}.")


@user_app.command(name="list")
def user_list() -> None:
    """List the users."""
    _settings, services = opened()
    table = Table("User", "Role", "State", "Last sign-in")
    for user in services.accounts.list(SYSTEM):
        last = user.last_sign_in_at
        table.add_row(
            user.username,
            user.role.label,
            "disabled" if user.disabled else "active",
            f"{last:%Y-%m-%d %H:%M} UTC" if last else "never",
        )
    console.print(table)


@user_app.command(name="disable")
def user_disable(username: str) -> None:
    """Disable a user; open sessions end with the next request."""
    _settings, services = opened()
    try:
        services.accounts.disable(SYSTEM, username)
    except ServiceError as error:
        fail(error)
    console.print(f"{username} is disabled.")


@user_app.command(name="passwd")
def user_passwd(username: str) -> None:
    """Set a user's password; open sessions end with the next request."""
    _settings, services = opened()
    try:
        services.accounts.change_password(SYSTEM, username, ask_password())
    except ServiceError as error:
        fail(error)
    console.print(f"The password of {username} is changed.")


@db_app.command(name="upgrade")
def db_upgrade() -> None:
    """Bring the operational database to this program's schema."""
    bootstrap.migrate(load_settings())
    console.print(f"The operational database is at revision {head()}.")


@db_app.command(name="check")
def db_check() -> None:
    """Say whether the operational database fits this program."""
    settings = load_settings()
    engine = open_engine(settings.operational_url)
    try:
        check(engine)
    except WrongSchema as error:
        fail(error)
    console.print(f"The operational database is at revision {current(engine)}: fits.")


@audit_app.command(name="verify")
def audit_verify() -> None:
    """Walk the audit chain and name the first row that does not fit."""
    _settings, services = opened()
    bad = services.audit.verify(SYSTEM)
    if bad is not None:
        fail(f"row {bad} of the audit log does not fit the chain")
    console.print("The audit log is whole.")


if __name__ == "__main__":
    app()
