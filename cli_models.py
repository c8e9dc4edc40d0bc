"""The command line of monitored models: register, references, imports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

import bootstrap
import launch
from data.flush import AnotherWriter
from data.migrate import WrongSchema, check
from data.session import open_engine
from reporting import import_progress, steps
from reporting_models import (
    import_tables,
    look_tables,
    models_table,
    reference_table,
)
from services.access import SYSTEM
from services.errors import ServiceError
from services.model_files import FileOptions
from services.model_guess import propose
from services.model_imports import ModelImports
from services.model_spec import LONGEST_FILE, read_yaml
from settings import Settings

model_app = typer.Typer(help="Monitored models.", no_args_is_help=True)
reference_app = typer.Typer(help="References of models.", no_args_is_help=True)
console = Console()

Files = Annotated[list[Path], typer.Argument(help="CSV, Parquet or JSON lines.")]
ModelName = Annotated[str, typer.Option("--model", help="Name of the model.")]
VersionName = Annotated[
    str, typer.Option("--version", help="Default: the version in the row, or champion.")
]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", help="COLUMN=SCHEMA_COLUMN or COLUMN=ignore, repeatable."),
]
Zone = Annotated[str | None, typer.Option("--tz", help="Zone of times without one.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would be done.")
]
RejectsFile = Annotated[Path, typer.Option(help="Where refused rows are written.")]


def fail(message: object) -> NoReturn:
    """Say what is wrong and end with status 2."""
    launch.say_error(message)
    raise typer.Exit(2)


@contextmanager
def opened() -> Iterator[tuple[Settings, bootstrap.Services]]:
    """Settings and services on a database of the right schema; errors end the run."""
    settings, services = _built()
    try:
        yield settings, services
    except ServiceError as error:
        fail(error)
    finally:
        services.close()


def _built() -> tuple[Settings, bootstrap.Services]:
    try:
        settings = launch.load_settings()
        services = bootstrap.build(settings)
        engine = open_engine(settings.operational_url)
        check(engine)
        engine.dispose()
    except (launch.CannotStart, WrongSchema, ValueError) as error:
        fail(error)
    return settings, services


@model_app.command(name="apply")
def model_apply(
    file: Annotated[Path, typer.Argument(help="The model's YAML file.")],
    lineage: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE to keep of the version's making, repeatable."),
    ] = None,
) -> None:
    """Register a model, or change it to what its file says."""
    text, kept = _text_of(file), _lineage(lineage or [])
    with opened() as (_settings, services):
        model, outcome = services.models.apply(SYSTEM, read_yaml(text), kept)
    spec = model.spec
    console.print(
        f"{spec.name} is {outcome}: {spec.kind}, version {spec.version}, "
        f"{sum(not f.retired for f in spec.features)} features, revision "
        f"{model.revision}.",
        highlight=False,
        markup=False,
    )


@model_app.command(name="export")
def model_export(name: str) -> None:
    """Print a model's YAML file."""
    with opened() as (_settings, services):
        typer.echo(services.models.export_yaml(SYSTEM, name), nl=False)


@model_app.command(name="list")
def model_list() -> None:
    """List the models."""
    with opened() as (_settings, services):
        console.print(models_table(services.models.list(SYSTEM)))


@model_app.command(name="infer")
def model_infer(
    file: Annotated[Path, typer.Argument(help="A file of the model's predictions.")],
) -> None:
    """Print a YAML file proposed from a data file; look it over, then apply it."""
    try:
        typer.echo(propose(file), nl=False)
    except ServiceError as error:
        fail(error)


@reference_app.command(name="set")
def reference_set(
    files: Files,
    model: ModelName,
    version: VersionName = "",
    maps: Maps = None,
) -> None:
    """Pin rows of a good time, with labels, as the reference a version is judged by."""
    options = FileOptions(maps=tuple(maps or ()))
    with opened() as (settings, services):
        with import_progress(console) as progress:
            receipt = _imports(services).set_reference(
                SYSTEM, model, files, options, version=version, progress=progress
            )
        reference_table(console, receipt)
        _drain(settings, services)


def import_inferences(
    files: Files,
    model: ModelName,
    version: VersionName = "",
    maps: Maps = None,
    tz: Zone = None,
    dry_run: DryRun = False,
    rejects: RejectsFile = Path("rejects.csv"),
) -> None:
    """Import predictions of a model; the same id and version twice counts once."""
    options = FileOptions(maps=tuple(maps or ()), tz=tz)
    _import("inferences", files, model, options, version, dry_run, rejects)


def import_labels(
    files: Files,
    model: ModelName,
    maps: Maps = None,
    tz: Zone = None,
    dry_run: DryRun = False,
    rejects: RejectsFile = Path("rejects.csv"),
) -> None:
    """Import labels by prediction id, early, late or corrected; the last one counts."""
    options = FileOptions(maps=tuple(maps or ()), tz=tz)
    _import("labels", files, model, options, "", dry_run, rejects)


def _import(
    kind: str,
    files: list[Path],
    model: str,
    options: FileOptions,
    version: str,
    dry_run: bool,
    rejects: Path,
) -> None:
    with opened() as (settings, services):
        if dry_run:
            looks = _imports(services).look(SYSTEM, kind, model, files, options)
            look_tables(console, looks)
            raise typer.Exit(2 if all(look.problem for look in looks) else 0)
        with import_progress(console) as progress:
            result = _imports(services).run(
                SYSTEM, kind, model, files, options, version=version,
                rejects_path=rejects, progress=progress,
            )  # fmt: skip
        import_tables(console, result)
        if any(file.taken for file in result.files):
            _drain(settings, services)
        raise typer.Exit(1 if any(file.problem for file in result.files) else 0)


def _imports(services: bootstrap.Services) -> ModelImports:
    return ModelImports(services.models, services.inferences, services.clock)


def _drain(settings: Settings, services: bootstrap.Services) -> None:
    """Move what was taken into the lake and judge it, unless a running worker does."""
    try:
        loop = bootstrap.build_flush_loop(settings)
    except AnotherWriter:
        console.print("The running worker moves the rows into the lake.")
        return
    with steps() as step:
        progress = step("Writing the lake")
        loop.drain(lambda moved: progress(moved, moved))
        loop.close()
        step("Judging models")
        services.judging.step()


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > 4 * LONGEST_FILE:
            fail(f"{file}: a model file has at most {LONGEST_FILE:,} characters")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} is no text in UTF-8")


def _lineage(entries: list[str]) -> dict[str, str] | None:
    found = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name.strip():
            fail(f"--lineage {entry[:80]!r}: write NAME=VALUE")
        found[name.strip()] = value.strip()
    return found or None
