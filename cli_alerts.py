"""The command line of alert rules: list, export, apply, look back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli_models import fail, opened
from services.access import SYSTEM
from services.alert_replay import MOST_DAYS, Replay
from services.alert_rule_reading import LONGEST_FILE, read_rules
from services.alert_rules import RuleSpec

alert_app = typer.Typer(help="Alerts.", no_args_is_help=True)
rules_app = typer.Typer(help="Alert rules.", no_args_is_help=True)
alert_app.add_typer(rules_app, name="rules")
console = Console()
MOST_TOLD = 20


@rules_app.command(name="list")
def rules_list() -> None:
    """List the rules."""
    table = Table("Key", "Name", "Of", "Severity", "Measured", "On", "Changed by")
    with opened() as (_settings, services):
        found = services.rules.list(SYSTEM)
    for view in found:
        spec = view.spec
        on = "yes" if spec.enabled else "no"
        told = (spec.key, spec.name, spec.source, spec.severity, spec.measured)
        table.add_row(*map(escape, told), on, escape(view.updated_by))
    console.print(table)


@rules_app.command(name="export")
def rules_export() -> None:
    """Write all rules as YAML to standard output."""
    with opened() as (_settings, services):
        typer.echo(services.rules.export(SYSTEM), nl=False)


@rules_app.command(name="apply")
def rules_apply(file: Path) -> None:
    """Store the rules of a YAML file, all or none; others stay as they are."""
    text = _text(file)
    with opened() as (_settings, services):
        done = services.rules.apply(SYSTEM, text)
    _say(
        f"{len(done.added)} added, {len(done.changed)} changed, "
        f"{len(done.same)} as they were."
    )


@rules_app.command(name="preview")
def rules_preview(
    file: Path,
    days: Annotated[int, typer.Option(help="How far to look back.")] = MOST_DAYS,
) -> None:
    """Say how often the rules of a YAML file would have fired; nothing is stored."""
    text = _text(file)
    with opened() as (_settings, services):
        for spec in read_rules(text):
            _show(spec, services.rules.preview(SYSTEM, spec, days))


def _show(spec: RuleSpec, replay: Replay) -> None:
    _say(
        f"{escape(spec.key)}: {replay.activations} times from {replay.start:%Y-%m-%d} "
        f"on, {replay.judged} judged. {replay.note}".rstrip()
    )
    for one in replay.subjects[:MOST_TOLD]:
        _say(f"  {one.activations:5} {escape(one.subject)} {escape(one.name)}")
    if len(replay.subjects) > MOST_TOLD:
        _say(f"  and {len(replay.subjects) - MOST_TOLD} more")


def _text(file: Path) -> str:
    """The file's text; one byte more than may be tells that it is too long."""
    try:
        with file.open("rb") as opened_file:
            return opened_file.read(4 * LONGEST_FILE + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")


def _say(words: str) -> None:
    console.print(words, highlight=False, soft_wrap=True)
