"""Makes the demo fleet and its models, with progress shown."""

from __future__ import annotations

from threading import Event, Thread

import bootstrap
from reporting import steps
from services.access import SYSTEM
from settings import Settings


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
