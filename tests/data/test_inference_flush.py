"""The flusher of model rows: what was sent counts once, whatever came when."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from data import inference_flush
from data.inference_tables import labels_table
from data.model_records import Feature, ModelSpec
from data.model_store import ModelStore
from data.outcomes import DELAY_BINS
from tests.conftest import NOW, Clock, Stores
from tests.data.watched import (
    CHURN,
    DAY,
    MONDAY,
    PRICE,
    Watched,
    churn,
    prices,
    stamps,
    watched,
    watched_sqlite,
)
from workers.flusher import FlushLoop

__all__ = ["watched", "watched_sqlite"]
LEAVES = 1
"""Place of the class in the confusion."""


def ready(watched: Watched, rows: int = 200) -> ModelSpec:
    """A model with a counted reference."""
    spec = watched.register()
    watched.refer(spec, churn(900, rows))
    watched.flush()
    return spec


def unlabelled(seed: int, rows: int, **options: object) -> pd.DataFrame:
    """Rows without a column of labels."""
    return churn(seed, rows, **options).drop(columns="left")  # type: ignore[arg-type]


def delays(watched: Watched, spec: ModelSpec) -> list[int]:
    """The ages in days of the labels of the first day."""
    cells = watched.cells(spec, MONDAY, MONDAY + DAY).cells["delay"][0]
    return np.repeat(np.arange(DELAY_BINS), cells).tolist()


def labels_known(watched: Watched, spec: ModelSpec) -> int:
    """Labelled rows of the first day."""
    cells = watched.cells(spec, MONDAY, MONDAY + DAY)
    return int(cells.totals("binary")["labelled"][0])


def test_labels_come_early_late_twice_and_corrected(watched: Watched) -> None:
    """The last one counts, its age is that of the first; unknown ids wait."""
    spec, frame = ready(watched), unlabelled(1, 4)
    frame["prediction"] = "stays"
    ids, times = frame["prediction_id"], frame["ts"]
    model_id = watched.model(spec).id
    watched.label(spec, [ids[0], "nobody"], ["leaves"] * 2, known_at=times[:2])
    watched.flush()
    assert watched.lake.waiting_labels(model_id) == 2
    assert watched.rows(spec) == 0

    watched.send(spec, frame)
    watched.flush()
    assert watched.lake.waiting_labels(model_id) == 1
    assert watched.confusion(spec)[0] == [0, 1, 0, 3]

    later = times[[1, 2]] + timedelta(days=9)
    watched.label(spec, ids[[1, 2]], ["leaves", "stays"], known_at=later)
    watched.flush()
    assert watched.confusion(spec)[0] == [1, 2, 0, 1]

    watched.label(spec, ids[[1]], ["leaves"], known_at=later[[1]] + DAY)
    watched.label(spec, ids[[1]], ["stays"], known_at=later[[1]] + 2 * DAY)
    watched.label(spec, ids[[0]], ["nonsense"], known_at=times[[0]] + 20 * DAY)
    watched.flush()
    assert watched.confusion(spec)[0] == [2, 0, 1, 1]
    assert delays(watched, spec) == [0, 9, 9]
    assert watched.lake.waiting_labels(model_id) == 1


def test_the_last_of_two_labels_in_one_delivery_counts(watched_sqlite: Watched) -> None:
    """Order within a delivery and within a flush is the order of correction."""
    spec, frame = ready(watched_sqlite), unlabelled(2, 3)
    ids = frame["prediction_id"].tolist()
    frame["prediction"] = "stays"
    watched_sqlite.send(spec, frame)
    watched_sqlite.label(spec, [*ids, ids[0]], ["stays", "stays", "leaves", "leaves"])
    watched_sqlite.label(spec, [ids[1]], ["leaves"])
    watched_sqlite.flush()

    assert watched_sqlite.confusion(spec)[0] == [0, 3, 0, 0]


def test_a_label_beside_its_prediction_may_be_corrected(
    watched_sqlite: Watched,
) -> None:
    """A label in the row is the first; one sent later wins over it."""
    spec, frame = ready(watched_sqlite), churn(3, 5, prediction="stays", left="stays")
    watched_sqlite.send(spec, frame)
    watched_sqlite.label(spec, frame["prediction_id"][:2], ["leaves"] * 2)
    watched_sqlite.flush()

    assert watched_sqlite.confusion(spec)[0] == [3, 2, 0, 0]
    assert delays(watched_sqlite, spec) == [0] * 5


def test_the_same_prediction_counts_once(watched: Watched) -> None:
    """In one delivery, in two of one flush, in two flushes; each version for itself."""
    spec, frame = ready(watched), unlabelled(4, 20)
    twice = watched.send(spec, pd.concat([frame, frame[:7]]))
    watched.send(spec, frame[5:])
    assert watched.flush() == 20
    watched.send(spec, frame[::-1])
    watched.send(spec, frame[:10], version="2")
    assert watched.flush() == 10

    assert (twice.taken, twice.duplicates) == (20, 7)
    assert watched.rows(spec) == 20
    assert watched.rows(spec, version="2") == 10


def test_the_first_of_two_predictions_under_one_id_stays(
    watched_sqlite: Watched,
) -> None:
    """Sent again with another value, hour or day beside it, the first one counts."""
    spec, frame = (
        ready(watched_sqlite),
        unlabelled(5, 6, prediction="stays", start=MONDAY + DAY),
    )
    other = frame.assign(prediction="leaves")
    watched_sqlite.send(spec, frame)
    watched_sqlite.send(spec, other)
    watched_sqlite.flush()
    late = other.assign(ts=stamps(MONDAY + 1.9 * DAY, 6, 0.05))
    early = other.assign(ts=stamps(MONDAY + 0.9 * DAY, 6, 0.05))
    watched_sqlite.send(spec, late)
    watched_sqlite.send(spec, early)
    watched_sqlite.flush()

    days = watched_sqlite.counts(spec, *(MONDAY + i * DAY for i in range(4)))
    assert days.columns["prediction"][:, 0].tolist() == [0, 6, 0]
    assert days.rows("prediction").tolist() == [0, 6, 0]


def test_late_rows_recount_their_day_and_no_other(watched_sqlite: Watched) -> None:
    """A day is counted anew, never added to; hours and days agree afterwards."""
    spec, start = ready(watched_sqlite), NOW.replace(hour=0) - 3 * DAY
    watched_sqlite.send(spec, churn(6, 90, start, 3))
    watched_sqlite.flush()
    before = watched_sqlite.everything(spec, start + DAY, start + 3 * DAY)
    for seed in (7, 8):
        watched_sqlite.send(spec, churn(seed, 10, start + timedelta(hours=5), 0.2))
        watched_sqlite.flush()
    hours = watched_sqlite.counts(
        spec, *(start + timedelta(hours=h) for h in range(25)), grain="hour"
    )

    assert watched_sqlite.rows(spec, start) == 50
    assert hours.rows("f0").sum() == 50
    assert watched_sqlite.everything(spec, start + DAY, start + 3 * DAY) == before
    stored = watched_sqlite.flusher.connection.execute(
        """SELECT count(*), count(DISTINCT (version, grid, grain, col, segment, ts))
           FROM lake.histograms WHERE model_id = $1""",
        [watched_sqlite.model(spec).id],
    ).fetchone()
    assert stored is not None
    assert stored[0] == stored[1]


def test_rows_before_a_reference_are_counted_when_it_comes(
    watched_sqlite: Watched,
) -> None:
    """Without a reference nothing can be counted; with one, everything is."""
    spec = watched_sqlite.register()
    watched_sqlite.send(spec, churn(9, 40))
    watched_sqlite.flush()
    assert watched_sqlite.lake.totals(watched_sqlite.model(spec).id, "1")[0] == 40
    watched_sqlite.refer(spec, churn(10, 200))
    assert watched_sqlite.rows(spec) == 0
    watched_sqlite.flush()

    assert watched_sqlite.rows(spec) == 40
    assert labels_known(watched_sqlite, spec) == 40


def test_a_new_reference_recounts_all_versions_judged_by_it(watched: Watched) -> None:
    """Versions without their own use the model's newest; old bins have no counts."""
    spec = ready(watched)
    frame = unlabelled(11, 30)
    watched.send(spec, frame)
    watched.send(spec, frame, version="own")
    watched.refer(spec, churn(12, 150), version="own")
    watched.flush()
    old = watched.grid(spec, "1").id
    assert watched.grid(spec, "own").id != old

    watched.send(spec, frame, version="free")
    watched.flush()
    assert watched.grid(spec, "free").id == watched.grid(spec, "own").id
    watched.refer(spec, churn(13, 170), version="1")
    watched.flush()

    assert watched.grid(spec, "free").id == watched.grid(spec, "1").id != old
    for version in ("1", "own", "free"):
        counts = watched.counts(spec, MONDAY, MONDAY + DAY, version=version)
        assert {int(counts.rows(n)[0]) for n in ("f0", "f1", "s0")} == {30}, version
        rows = watched.lake.reference_counts(
            watched.model(spec).id, version, watched.grid(spec, version), ""
        ).rows("f0")
        assert rows == [150 if version == "own" else 170], version
    kept = watched.flusher.connection.execute(
        """SELECT DISTINCT grid FROM lake.histograms
           WHERE model_id = $1 AND version = 'free' AND grain = 'day'""",
        [watched.model(spec).id],
    ).fetchall()
    assert kept == [(watched.grid(spec, "free").id,)]


def test_a_reference_with_the_same_bins_is_counted_too(watched_sqlite: Watched) -> None:
    """The same rows with labels give the same bins, and cells that had none."""
    spec = watched_sqlite.register()
    frame = churn(14, 150)
    watched_sqlite.refer(spec, frame.assign(left=None))
    watched_sqlite.send(spec, unlabelled(15, 20), version="2")
    watched_sqlite.flush()
    old = watched_sqlite.grid(spec)
    watched_sqlite.refer(spec, frame)
    watched_sqlite.flush()
    model_id = watched_sqlite.model(spec).id

    assert watched_sqlite.grid(spec).id == old.id
    for version in ("1", "2"):
        cells = watched_sqlite.lake.reference_cells(spec, model_id, version, old, "")
        assert cells.totals("binary")["labelled"] == [150], version
        counts = watched_sqlite.lake.reference_counts(model_id, version, old, "")
        assert counts.rows("label") == [150], version


def test_retention_drops_rows_and_changes_no_count(watched: Watched) -> None:
    """Counts before and after are the same; only labels nobody can join are gone."""
    spec = ready(watched)
    watched.clock.now = NOW
    frame = churn(16, 120, MONDAY, 4)
    watched.send(spec, frame)
    watched.send(spec, frame[:60], version="2")
    watched.label(spec, ["nobody"], ["leaves"])
    watched.flush()
    spec = watched.change(spec, retention_days=(NOW - MONDAY).days - 2)
    days = [MONDAY + i * DAY for i in range(5)]
    model_id = watched.model(spec).id
    before = watched.everything(spec, *days)
    pairs = watched.lake.pairs(model_id, "1", "2", days).tolist()
    watched.waiting.retain(NOW, None)

    assert watched.everything(spec, *days) == before
    assert watched.lake.pairs(model_id, "1", "2", days).tolist() == pairs
    assert watched.lake.totals(model_id, "1")[0] == 60
    assert watched.lake.floor(model_id) == MONDAY + 2 * DAY
    assert watched.lake.waiting_labels(model_id) == 1
    watched.waiting.retain(NOW, None)
    assert watched.lake.totals(model_id, "1")[0] == 60


def test_days_whose_rows_were_dropped_are_never_recounted(
    watched_sqlite: Watched,
) -> None:
    """Late labels, rows and references leave them as they were, for ever."""
    spec = ready(watched_sqlite)
    frame = unlabelled(17, 90, start=MONDAY, days=3)
    watched_sqlite.send(spec, frame)
    watched_sqlite.flush()
    spec = watched_sqlite.change(spec, retention_days=(NOW - MONDAY).days - 1)
    watched_sqlite.waiting.retain(NOW, None)
    spec = watched_sqlite.change(spec, retention_days=4_000)
    watched_sqlite.label(spec, frame["prediction_id"], ["leaves"] * 90)
    watched_sqlite.send(spec, unlabelled(18, 5, start=MONDAY))
    watched_sqlite.send(spec, unlabelled(19, 1, start=MONDAY - 3_000 * DAY))
    watched_sqlite.flush()
    watched_sqlite.waiting.retain(NOW + 1_500 * DAY, None)
    watched_sqlite.refer(spec, churn(900, 200))
    watched_sqlite.flush()
    cells = watched_sqlite.cells(spec, *(MONDAY + i * DAY for i in range(4)))

    assert cells.totals("binary")["rows"].tolist() == [30, 30, 30]
    assert cells.totals("binary")["labelled"].tolist() == [0, 30, 30]
    assert watched_sqlite.lake.floor(watched_sqlite.model(spec).id) == MONDAY + DAY


def test_a_feature_added_and_one_retired(watched_sqlite: Watched) -> None:
    """Rows that were staged before a feature was added are flushed after it."""
    spec, frame = ready(watched_sqlite), churn(20, 10)
    watched_sqlite.send(spec, frame)
    wider = watched_sqlite.change(
        spec, features=(*spec.features, Feature("pets", "numeric"))
    )
    watched_sqlite.flush()
    watched_sqlite.send(wider, churn(21, 15, pets=2.0))
    watched_sqlite.flush()
    assert "f2" not in watched_sqlite.grid(wider).columns
    assert watched_sqlite.rows(wider) == 25

    watched_sqlite.refer(wider, churn(22, 200, pets=np.arange(200.0)))
    watched_sqlite.flush()
    pets = watched_sqlite.counts(wider, MONDAY, MONDAY + DAY).columns["f2"][0]
    assert (pets[-3], pets.sum()) == (10, 25)

    kept = (*wider.features[:2], Feature("pets", "numeric", retired=True))
    narrow = watched_sqlite.change(wider, features=kept)
    receipt = watched_sqlite.send(narrow, churn(23, 5))
    watched_sqlite.refer(narrow, churn(24, 200))
    watched_sqlite.flush()
    assert receipt.missing_columns == []
    assert "f2" not in watched_sqlite.grid(narrow).columns
    assert watched_sqlite.rows(narrow) == 30


def break_at(
    monkeypatch: pytest.MonkeyPatch, name: str, error: Callable[[], BaseException]
) -> None:
    """Fail whenever the flusher comes to a step."""

    def fail(*_args: object, **_options: object) -> None:
        raise error()

    monkeypatch.setattr(inference_flush, name, fail)


def test_a_failure_before_the_commit_leaves_nothing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither rows, labels, counts nor the mark; the next flush takes all of it."""
    spec = ready(watched)
    watched.send(spec, churn(25, 30))
    changes = watched.lake.changes(0)
    with monkeypatch.context() as patched:
        break_at(patched, "sync_files", lambda: OSError("no space left on device"))
        with pytest.raises(OSError, match="no space"):
            watched.flush()

    assert watched.rows(spec) == 0
    assert watched.lake.totals(watched.model(spec).id, "1")[0] == 0
    assert watched.lake.changes(0) == changes
    assert watched.flush() == 60
    assert (watched.rows(spec), labels_known(watched, spec)) == (30, 30)


def test_death_between_commit_and_tidying_counts_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was moved but not tidied is not moved again, and its files go later."""
    spec = ready(watched)
    watched.send(spec, churn(26, 30))

    def die(*_args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(type(watched.store), "moved", die)
        with pytest.raises(SystemExit):
            watched.flush()
    assert watched.rows(spec) == 30
    left = list(watched.settings.staging_dir.iterdir())
    watched.send(spec, churn(27, 5))
    assert watched.flush() == 10

    assert len(left) == 2
    assert watched.rows(spec) == 35
    assert labels_known(watched, spec) == 35
    assert list(watched.settings.staging_dir.iterdir()) == []
    assert watched.store.staged(0) == []


def test_two_models_are_flushed_one_after_the_other(watched_sqlite: Watched) -> None:
    """A flush is one model's; the order of deliveries of each one is kept."""
    first, second = ready(watched_sqlite), watched_sqlite.register(PRICE)
    watched_sqlite.send(first, churn(28, 10))
    watched_sqlite.send(second, prices(29, 7))
    watched_sqlite.send(first, churn(30, 10))
    watched_sqlite.refer(second, prices(31, 120))
    moved = []
    while watched_sqlite.waiting.pending():
        moved.append(watched_sqlite.waiting.flush().rows)

    assert moved == [20, 14, 20, 120]
    assert watched_sqlite.rows(first) == 20
    assert watched_sqlite.rows(second) == 7


def test_a_missing_reference_file_stops_no_flush(watched_sqlite: Watched) -> None:
    """Its days are counted on its bins; only the reference itself has no counts."""
    for base, frame in ((CHURN, churn(32, 300)), (PRICE, prices(33, 300))):
        spec = watched_sqlite.register(base)
        watched_sqlite.refer(spec, frame)
        record = watched_sqlite.store.reference(watched_sqlite.model(spec).id, "1")
        assert record is not None
        Path(record.path).unlink()
        watched_sqlite.send(spec, frame[:20])
        watched_sqlite.flush()
        counts = watched_sqlite.lake.reference_counts(
            record.model_id, "1", watched_sqlite.grid(spec), ""
        )

        assert watched_sqlite.rows(spec) == 20
        assert counts.rows("prediction") == [0]


def test_labels_are_only_ever_added(watched_sqlite: Watched) -> None:
    """A corrected label stands beside the first one: facts are never changed."""
    spec, frame = ready(watched_sqlite), unlabelled(34, 2)
    for value in ("stays", "leaves"):
        watched_sqlite.label(spec, frame["prediction_id"], [value] * 2)
    watched_sqlite.flush()
    run: duckdb.DuckDBPyConnection = watched_sqlite.flusher.connection
    found = run.table(f"lake.{labels_table(watched_sqlite.model(spec).id)}")

    assert found.order("seq").project("label").fetchall() == [
        ("stays",), ("stays",), ("leaves",), ("leaves",),
    ]  # fmt: skip


def test_files_a_killed_sender_left_are_deleted_in_the_end(
    stores: Stores, clock: Clock
) -> None:
    """After a week, unless some store still speaks of them."""
    folder = stores.settings.staging_dir
    folder.mkdir(parents=True)
    models = ModelStore(stores.device_store._engine)
    loop = FlushLoop(stores.settings, stores.hot, stores.device_store, models, clock)
    for name in ("stray", "fresh", "model", "bulk"):
        (folder / f"{name}.parquet").write_bytes(b"PAR1")
    for name in ("stray", "model", "bulk"):
        os.utime(folder / f"{name}.parquet", (0, 0))
    with models.transaction() as tx:
        model_id, path = models.add(tx, CHURN, NOW), str(folder / "model.parquet")
        models.stage(tx, model_id, "labels", "", path, 1, NOW)
    with stores.hot.batch([]) as batch:
        batch.stage(str(folder / "bulk.parquet"), 1, NOW)
    clock.forward(minutes=16)
    loop.maintain()
    loop.close()

    assert {p.stem for p in folder.iterdir()} == {"fresh", "model", "bulk"}
