"""What ``python app.py`` does: prepare the stores, then run web and worker."""

from __future__ import annotations

import os
import secrets
import socket
from threading import Event, Thread

from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.markup import escape

import bootstrap
from reporting import steps
from services.access import SYSTEM
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


def make_demo(settings: Settings, *, judged: bool) -> None:
    """Create the demo fleet and its models in the lake, with progress shown.

    ``judged``: count and judge the models here; else the worker does so once it runs.
    """
    services = bootstrap.build(settings)
    if not services.demo.exists:
        _make_fleet(settings, services)
    if not services.demo_models.exists:
        _make_models(settings, services, judged=judged)
    services.close()


def _make_models(
    settings: Settings, services: bootstrap.Services, *, judged: bool
) -> None:
    """Train the demo's models and log their past."""
    with steps() as step:
        services.demo_models.create(SYSTEM, progress=step("Training models"))
        if not judged:
            return
        step("Judging models")
        loop = bootstrap.build_flush_loop(settings)
        loop.drain()
        loop.close()
        services.judging.step()


def _make_fleet(settings: Settings, services: bootstrap.Services) -> None:
    with steps() as step:
        loop, done = bootstrap.build_flush_loop(settings), Event()
        follower = Thread(target=loop.follow, args=(done,))
        follower.start()
        try:
            services.demo.create(
                SYSTEM, speed=settings.demo_speed, progress=step("Simulating heaters")
            )
        finally:
            done.set()
            follower.join()
        step("Writing the lake")
        loop.drain()
        loop.close()


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
    bootstrap.migrate(settings)
    hint = "Sign in with a user made by `python cli.py user add`."
    if settings.demo:
        given = settings.demo_password
        password = given.get_secret_value() if given else secrets.token_urlsafe(9)
        settings = settings.model_copy(update={"demo_password": SecretStr(password)})
        make_demo(settings, judged=False)  # the page is there half a minute sooner
        services = bootstrap.build(settings)
        services.accounts.ensure_demo_users(SYSTEM, password)
        services.close()
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
