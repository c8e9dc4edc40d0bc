"""The command line of reports: make one now, list them, keep schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from cli_models import opened
from data.report_records import FORMATS, TEMPLATES
from services.access import SYSTEM
from services.windows import DEFAULT_FROM, DEFAULT_TO

report_app = typer.Typer(help="Reports.", no_args_is_help=True)
schedule_app = typer.Typer(
    help="Reports that are made by themselves.", no_args_is_help=True
)
report_app.add_typer(schedule_app, name="schedule")
console = Console()

Template = Annotated[str, typer.Option(help=f"One of {', '.join(TEMPLATES)}.")]
From = Annotated[str, typer.Option("--from", help="ISO time, or now-7d, now-1M/M.")]
To = Annotated[str, typer.Option("--to", help="End of the range, not included.")]
Names = Annotated[
    list[str] | None, typer.Option("--model", help="Model, repeatable; default all.")
]
Ids = Annotated[
    list[str] | None, typer.Option("--device", help="Heater, repeatable; default all.")
]
Sections = Annotated[
    list[str] | None, typer.Option("--section", help="Section, repeatable.")
]
Zone = Annotated[str, typer.Option("--tz", help="IANA name of the time zone.")]


@report_app.command(name="run")
def report_run(
    template: Template,
    start: From = DEFAULT_FROM,
    end: To = DEFAULT_TO,
    format: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")] = "pdf",
    output: Annotated[
        Path | None, typer.Option(help="File to write; default its own name.")
    ] = None,
    models: Names = None,
    devices: Ids = None,
    sections: Sections = None,
    tz: Zone = "UTC",
) -> None:
    """Make a report now and write it to a file."""
    raw = {
        **_request(template, start, end, tz, models, devices, sections),
        "format": format,
    }
    with opened() as (_settings, services), _bar() as told:
        file = services.reports.runs.export(SYSTEM, raw, progress=told)
        path = output or Path(file.name)
        with path.open("wb") as handle:
            size = sum(handle.write(part) for part in file.parts)
    _say(f"{path}: {size:,} bytes.")


@report_app.command(name="list")
def report_list(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
) -> None:
    """List the reports that were asked for, newest first."""
    id_column = Column("Id", min_width=32)  # whole: it is what other doors ask for
    table = Table(id_column, "Template", "Range", "Asked", "By", "State", "Bytes")
    with opened() as (_settings, services):
        found = services.reports.runs.list(SYSTEM, limit)
    for run in found:
        span = f"{str(run.query['from'])[:10]} to {str(run.query['to'])[:10]}"
        state = f"{run.state}: {run.reason}" if run.reason else run.state
        table.add_row(
            run.id, f"{run.template}.{run.format}", span,
            f"{run.asked_at:%Y-%m-%d %H:%M}Z", run.asked_by, escape(state),
            f"{run.size_bytes:,}" if run.size_bytes is not None else "–",
        )  # fmt: skip
    console.print(table)


@schedule_app.command(name="list")
def schedule_list() -> None:
    """List the schedules."""
    table = Table("Id", "Name", "Report", "When", "Zone", "Next", "Owner", "Recipients")
    with opened() as (_settings, services):
        found = services.reports.schedules.list(SYSTEM)
    for view in found:
        kept = view.schedule
        people = kept.spec["recipients"]
        next_at = f"{kept.next_at:%Y-%m-%d %H:%M}Z" if kept.next_at else "off"
        table.add_row(
            str(kept.id), escape(kept.name), str(kept.spec["template"]), view.when,
            view.zone, next_at, kept.owner,
            ", ".join(people) if isinstance(people, list) else "",
        )  # fmt: skip
    console.print(table)


@schedule_app.command(name="add")
def schedule_add(
    name: str,
    template: Template,
    cron: Annotated[str, typer.Option(help="Five fields, as '0 6 * * 1'.")],
    start: From = "now-1w/w",
    end: To = "now/w",
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="Repeatable; default pdf.")
    ] = None,
    recipients: Annotated[
        list[str] | None, typer.Option("--to-mail", help="Address, repeatable.")
    ] = None,
    models: Names = None,
    devices: Ids = None,
    sections: Sections = None,
    tz: Zone = "UTC",
) -> None:
    """Add a schedule; its range is counted from the time it is due."""
    raw = {
        **_request(template, start, end, tz, models, devices, sections),
        "name": name,
        "cron": cron,
        "formats": formats or ["pdf"],
        "recipients": recipients or [],
    }
    with opened() as (_settings, services):
        made = services.reports.schedules.add(SYSTEM, raw)
    _say(f"Schedule {made.id}, {made.name}: next at {made.next_at:%Y-%m-%d %H:%M}Z.")


@schedule_app.command(name="enable")
def schedule_enable(
    schedule_id: int,
    off: Annotated[bool, typer.Option("--off", help="Switch it off.")] = False,
) -> None:
    """Switch a schedule on, or off."""
    with opened() as (_settings, services):
        kept = services.reports.schedules.enable(SYSTEM, schedule_id, not off)
    _say(f"{kept.name} is {'off' if off else 'on'}.")


@schedule_app.command(name="remove")
def schedule_remove(schedule_id: int) -> None:
    """Remove a schedule; the reports it made stay."""
    with opened() as (_settings, services):
        services.reports.schedules.remove(SYSTEM, schedule_id)
    _say(f"Schedule {schedule_id} is removed.")


def _request(
    template: str,
    start: str,
    end: str,
    tz: str,
    models: list[str] | None,
    devices: list[str] | None,
    sections: list[str] | None,
) -> dict[str, object]:
    return {
        "template": template, "from": start, "to": end, "time_zone": tz,
        "models": models or [], "devices": devices or [], "sections": sections or [],
    }  # fmt: skip


@contextmanager
def _bar() -> Iterator[Callable[[float, str], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Begins", total=1.0)
        yield lambda share, step: progress.update(
            task, completed=share, description=escape(step)
        )


def _say(words: str) -> None:
    console.print(words, highlight=False, markup=False)
