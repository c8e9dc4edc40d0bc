"""The Python client against the real server: logged, labelled, drifted, read back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import iotsphere_client
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from werkzeug.serving import make_server

import bootstrap
from app import create_app
from services.access import SYSTEM
from tests.conftest import NOW, Clock
from tests.identity import PASSWORD


@dataclass
class Site:
    """A running server and a client that may write."""

    services: bootstrap.Services
    client: iotsphere_client.Client
    settings: object
    clock: Clock

    def flush(self) -> None:
        """Move what was sent into the lake and judge it."""
        loop = bootstrap.build_flush_loop(self.settings, self.clock)
        loop.drain()
        loop.close()
        self.services.judging.step()


@pytest.fixture
def site(settings, clock, tmp_path) -> Iterator[Site]:
    """The whole application on a free loopback port."""
    bootstrap.migrate(settings)
    services = bootstrap.build(settings, clock)
    services.accounts.add(SYSTEM, "ada", "admin", PASSWORD)
    server = make_server(
        "127.0.0.1", 0, create_app(settings, services).server, threaded=True
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    client = iotsphere_client.Client(
        f"http://127.0.0.1:{server.server_port}", "ada", PASSWORD,
        timeout_s=20, spool=tmp_path / "spool",
    )  # fmt: skip
    yield Site(services, client, settings, clock)
    server.shutdown()
    thread.join()
    services.close()


def frame(rng: np.random.Generator, rows: int, days: int, mean: float) -> pd.DataFrame:
    """Predictions whose score is the chance of their label, over the last days."""
    age = rng.normal(mean, 1, rows)
    score = 1 / (1 + np.exp(-age))
    ts = NOW - timedelta(days=days) + pd.to_timedelta(rng.random(rows) * days, "D")
    return pd.DataFrame(
        {
            "prediction_id": [f"p{i}-{mean}" for i in range(rows)],
            "ts": ts,
            "age": age,
            "plan": rng.choice(["basic", "plus"], rows),
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "label": (rng.random(rows) < score).astype(int),
        }
    )


def test_one_line_registers_and_logs_and_the_drift_is_read_back(site: Site) -> None:
    """A frame logged once makes the model; a shifted one drifts; it reads back."""
    rng = np.random.default_rng(4)
    reference = frame(rng, 3_000, 60, 0.0)
    logged = site.client.log(
        frame(rng, 2_000, 14, 1.0), "churn", "3", score="score", label="label"
    )
    table = pd.DataFrame(reference.drop(columns=["prediction_id", "ts"]))
    site.services.inferences.set_reference(
        SYSTEM, "churn", [pa.Table.from_pandas(table)], source="test"
    )
    site.flush()
    scores = site.client.drift("churn", from_="now-14d")
    measured = site.client.performance("churn", from_="now-14d")

    assert logged.ok, str(logged)
    assert logged.taken == 2_000
    assert site.services.models.get(SYSTEM, "churn").spec.version == "3"
    assert set(scores["feature"]) == {"age", "plan"}
    assert (scores[scores["feature"] == "age"]["state"] == "drift").any()
    assert measured["realised"].notna().any()


def test_what_differs_from_the_schema_comes_back(site: Site) -> None:
    """New and missing columns and refused rows are in the result, the rest goes in."""
    rng = np.random.default_rng(5)
    first = frame(rng, 300, 7, 0.0)
    assert site.client.log(first, "churn", score="score", label="label").ok

    second = frame(rng, 200, 7, 0.5).drop(columns=["plan"]).assign(zip="12345")
    second.loc[3, "score"] = 1.5
    result = site.client.log(second, "churn", score="score", label="label")

    assert not result.ok
    assert result.taken == 199
    assert [row for row, _ in result.rejected] == [3]
    assert "zip" in result.unknown_columns
    assert "plan" in result.missing_columns


def test_labels_are_taken_and_join(site: Site) -> None:
    """Labels sent on their own join their predictions by id."""
    rng = np.random.default_rng(6)
    rows = frame(rng, 500, 7, 0.0)
    site.client.log(rows.drop(columns=["label"]), "churn", score="score")
    result = site.client.log_labels(rows[["prediction_id", "label"]], "churn")

    assert result.ok, str(result)
    assert result.taken == 500
