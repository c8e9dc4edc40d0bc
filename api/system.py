"""Numbers of the installation for Prometheus.

All of them are read from the stores at each scrape, so every web process gives the
same answer and nothing is counted in a process's memory.
"""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, g
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from api.machines import METRICS_RULE
from services.access import Principal
from services.system import System, SystemView

PREFIX = "iotsphere_"


def register_metrics(server: flask.Flask, system: System) -> None:
    """The route ``/metrics``, for Admins and for the scraper's token."""

    def metrics() -> Response:
        caller: Principal = g.principal
        view = system.view(caller, rejects=0)
        return Response(written(view), content_type=CONTENT_TYPE_LATEST)

    # Not by a decorator of OpenAPI: it is no part of the documented interface.
    server.add_url_rule(METRICS_RULE, "metrics", metrics)


def written(view: SystemView) -> bytes:
    """The view in Prometheus' text form."""
    registry = CollectorRegistry()
    numbers = (
        ("hot_rows", "Readings that the lake does not have yet", view.hot_rows),
        ("waiting_seconds", "Age of the oldest reading that waits", view.waiting_s),
        ("staged_files", "Files that wait for the lake", view.staged_files),
        ("staged_rows", "Readings in staged files", view.staged_rows),
    )
    for name, words, value in numbers:
        Gauge(PREFIX + name, words, registry=registry).set(value)
    build = Gauge(
        PREFIX + "build_info", "Versions", list(view.versions), registry=registry
    )
    build.labels(**view.versions).set(1)
    age = Gauge(
        PREFIX + "worker_age_seconds", "Since a part of the worker spoke", ["part"],
        registry=registry,
    )  # fmt: skip
    fact = Gauge(
        PREFIX + "worker_fact", "What a part of the worker says", ["part", "fact"],
        registry=registry,
    )  # fmt: skip
    for part in view.parts:
        age.labels(part=part.name).set(part.age_s)
        for name, said in part.facts.items():
            if _is_number(said):
                fact.labels(part=part.name, fact=name).set(float(said))
    return generate_latest(registry)


def _is_number(value: Any) -> bool:
    """Whether a fact can be a gauge: numbers, and yes or no as 1 or 0."""
    return isinstance(value, int | float)
