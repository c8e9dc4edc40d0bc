"""What ``python app.py`` does: prepare the stores, then run web and worker."""

from __future__ import annotations

import importlib
import os
import secrets
import socket

from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.markup import escape

import bootstrap_first
from settings import Settings
from workers import processes

console = Console()
errors = Console(stderr=True)


class CannotStart(Exception):
    """The program cannot start; the message says what to change."""


def say_error(message: object) -> None:
    """Say on the error stream what is wrong."""
    errors.print(f"[red]Error:[/red] {escape(str(message))}", highlight=False)


def load_settings(**overrides: object) -> Settings:
    """The settings from the environment.

    Raises:
        CannotStart: a setting is missing, wrong or unsafe.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        told = [
            ".".join(("IOTSPHERE", *map(str, part["loc"]))).upper().replace(".", "_")
            + f": {part['msg']}"
            if part["loc"]
            else str(part["msg"]).removeprefix("Value error, ")
            for part in error.errors()
        ]
        raise CannotStart("; ".join(told)) from error


def run() -> int:
    """Prepare, start web and worker, say where, and wait; the exit status."""
    try:
        return _run()
    except CannotStart as error:
        say_error(error)
        return 2


def _run() -> int:
    settings = load_settings(**({} if "IOTSPHERE_DEMO" in os.environ else DEMO))
    _check_port(settings)
    try:
        settings.signing_key()
    except ValueError as error:
        raise CannotStart(str(error)) from error
    bootstrap_first.migrate(settings)
    hint = "Sign in with a user made by `python cli.py user add`."
    if settings.demo:
        given = settings.demo_password
        password = given.get_secret_value() if given else secrets.token_urlsafe(9)
        settings = settings.model_copy(update={"demo_password": SecretStr(password)})
        if not bootstrap_first.demo_made(settings):
            # Imported for the first start only: it takes seconds that others need not.
            importlib.import_module("launch_demo").make_demo(settings, judged=False)
        bootstrap_first.ensure_demo_users(settings, password)
        hint = f"Sign in as admin, operator or viewer with the password {password}"
    running = processes.start(
        settings, [processes.worker_command(), processes.web_command(settings)]
    )
    problem = processes.wait_ready(settings, running)
    if problem:
        processes.stop(running)
        raise CannotStart(problem)
    console.print(f"\nIoTSphere is at http://{settings.host}:{settings.port}")
    console.print(f"{hint}\nPress Ctrl-C to stop.\n", highlight=False)
    return processes.supervise(running)


DEMO = {"demo": True}


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CannotStart(
                f"{settings.host}:{settings.port} cannot be used ({error.strerror}); "
                "set IOTSPHERE_PORT"
            ) from error
