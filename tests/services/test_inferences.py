"""The door of model rows: taken whole or not at all, and never in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import staging
from data.model_records import Columns, Feature, ModelSpec
from services.errors import Forbidden, InvalidInput, NotFound, ServiceError
from services.inferences import MOST_VERSIONS
from tests.conftest import ADMIN, NOW, OPERATOR
from tests.data.watched import (
    ANIMAL,
    CHURN,
    DAY,
    MONDAY,
    PRICE,
    Watched,
    animals,
    churn,
    prices,
    stamps,
    table,
    watched_postgresql,
    watched_sqlite,
)

__all__ = ["watched_postgresql", "watched_sqlite"]
LARGEST = 1.7976931348623157e308


def staged(watched: Watched) -> list[Path]:
    """The files that wait."""
    return sorted(watched.settings.staging_dir.iterdir())


@pytest.fixture
def door(watched_sqlite: Watched) -> Iterator[Watched]:
    """The door with nothing waiting behind it, before and after a test."""
    for path in staged(watched_sqlite):
        path.unlink()
    watched_sqlite.store.unstage(10**9)
    yield watched_sqlite
    watched_sqlite.clock.now = NOW


def test_a_delivery_is_staged_with_its_receipt(door: Watched) -> None:
    """One file of predictions, one of labels, one line in the list of deliveries."""
    spec = door.register()
    frame = churn(1, 10, days=2)
    frame.loc[3, "p"], frame.loc[4, "left"], frame["zip"] = 1.5, None, "x"
    receipt = door.send(spec, frame.drop(columns="region"), source="may.csv")
    kept = door.store.delivered(door.model(spec).id, 5)

    assert (receipt.read, receipt.taken, receipt.labels) == (10, 9, 8)
    assert [(r.row, r.reason[:15]) for r in receipt.rejected] == [
        (3, "the score of le")
    ]
    assert (receipt.unknown_columns, receipt.missing_columns) == (["zip"], ["region"])
    assert receipt.first_ts == MONDAY
    assert receipt.last_ts == MONDAY + 1.8 * DAY
    assert [(d.source, d.kind, dict(d.receipt)["taken"]) for d in kept] == [
        ("may.csv", "inferences", 9)
    ]
    files = door.store.staged(0)
    assert [(f.kind, f.rows) for f in files] == [("inferences", 9), ("labels", 8)]
    assert sorted(f.path for f in files) == [str(p) for p in staged(door)]
    assert [v.version for v in door.store.versions(door.model(spec).id)] == ["1"]


def test_receipts_name_rows_by_their_place_in_all_portions(door: Watched) -> None:
    """Refused rows of the second portion are numbered on from the first."""
    spec = door.register()
    frame = churn(2, 8)
    frame.loc[[1, 6], "p"] = -1
    portions = [table(frame[:5]), table(frame[5:])]
    receipt = door.inferences.accept(ADMIN, spec.name, portions, source="x")

    assert [r.row for r in receipt.rejected] == [1, 6]
    assert (receipt.rejected_count, receipt.taken) == (2, 6)


@pytest.mark.parametrize("kind", ["inferences", "labels"])
def test_nothing_is_kept_when_the_third_portion_raises(
    door: Watched, kind: str
) -> None:
    """A damaged file leaves no staged file, no delivery and no version."""
    spec = door.register()

    def portions() -> Iterator[pa.Table]:
        yield table(churn(3, 5))
        yield table(churn(4, 5))
        raise InvalidInput("the file is damaged after line 10")

    accept = (
        door.inferences.accept
        if kind == "inferences"
        else door.inferences.accept_labels
    )
    with pytest.raises(InvalidInput, match="damaged"):
        accept(ADMIN, spec.name, portions(), source="x")

    assert staged(door) == []
    assert door.store.staged(0) == []
    assert door.store.delivered(door.model(spec).id, 5) == []


def test_a_wrong_schema_refuses_the_whole_delivery(door: Watched) -> None:
    """A portion that is no rows of the model takes back the good one before it."""
    spec = door.register()
    wrong = table(churn(5, 5).drop(columns="prediction"))
    with pytest.raises(InvalidInput, match="lacks prediction"):
        door.inferences.accept(
            ADMIN, spec.name, [table(churn(6, 5)), wrong], source="x"
        )
    with pytest.raises(InvalidInput, match="no file of labels"):
        door.inferences.accept_labels(
            ADMIN, spec.name, [table(churn(6, 5).drop(columns="left"))], source="x"
        )

    assert staged(door) == []
    assert door.store.staged(0) == []


def test_a_full_disk_leaves_nothing_behind(
    door: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written of a file before the disk was full is deleted."""
    spec = door.register()

    def half(_table: pa.Table, path: Path, *_compression: str) -> Path:
        path.write_bytes(b"PAR1 and no more")
        raise OSError("no space left on device")

    monkeypatch.setattr(staging, "write_table", half)
    with pytest.raises(OSError, match="no space"):
        door.send(spec, churn(7, 5))

    assert staged(door) == []
    assert door.store.staged(0) == []


def test_the_same_key_gives_the_old_receipt(door: Watched) -> None:
    """A delivery sent again is staged once; labels and predictions have own keys."""
    spec = door.register()
    first = door.send(spec, churn(8, 6), key="order-1")
    files = staged(door)
    again = door.send(spec, churn(9, 4), key="order-1")
    frame = [table(churn(8, 6))]
    labels = door.inferences.accept_labels(
        ADMIN, spec.name, frame, source="x", key="order-1"
    )

    assert again == first
    assert staged(door)[: len(files)] == files or set(files) < set(staged(door))
    assert len(staged(door)) == len(files) + 1
    assert labels.taken == 6
    assert len(door.store.delivered(door.model(spec).id, 9)) == 2


@pytest.mark.parametrize("key", ["", "a" * 121, "a\0b", "a\nb"])
def test_a_key_that_cannot_be_stored_is_refused(door: Watched, key: str) -> None:
    """It is 1 to 120 printable characters, for predictions and for labels."""
    spec = door.register()
    for accept in (door.inferences.accept, door.inferences.accept_labels):
        with pytest.raises(InvalidInput, match="1 to 120 printable"):
            accept(ADMIN, spec.name, [table(churn(10, 2))], source="x", key=key)
    assert staged(door) == []


@pytest.mark.parametrize("version", ["../x", "a" * 41, "1\n", "v 1", "a\0"])
def test_a_version_that_is_none_is_refused(door: Watched, version: str) -> None:
    """A version is up to 40 letters, digits and signs, for rows and references."""
    spec = door.register()
    with pytest.raises(InvalidInput, match="is no version"):
        door.send(spec, churn(11, 2), version=version)
    with pytest.raises(InvalidInput, match="is no version"):
        door.refer(spec, churn(11, 200), version=version)
    assert staged(door) == []


def test_a_column_that_names_too_many_versions_is_something_else(door: Watched) -> None:
    """A hundred versions are taken in one delivery, one more is refused whole."""
    spec, most = door.register(), MOST_VERSIONS
    frame = churn(12, most + 1)
    frame["version"] = [f"v{i}" for i in range(most + 1)]
    with pytest.raises(InvalidInput, match="name 101 versions"):
        door.send(spec, frame)
    assert staged(door) == []
    assert door.send(spec, frame[:most]).taken == most
    assert len(door.store.versions(door.model(spec).id)) == most + 1


def test_rows_older_than_a_model_keeps_are_refused(door: Watched) -> None:
    """Rows of dropped days cannot be counted: the model's days, else the setting's."""
    old = NOW.replace(hour=0) - 30 * DAY
    frame = churn(13, 4).assign(ts=stamps(old - DAY / 2, 4))
    for spec in (door.register(retention_days=30), door.register()):
        default = None if spec.retention_days else 30
        door.inferences._settings = door.settings.model_copy(
            update={"inference_retention_days": default}
        )
        receipt = door.send(spec, frame)
        door.inferences._settings = door.settings
        assert [r.row for r in receipt.rejected] == [0, 1]
        assert receipt.rejected[0].reason == (
            "it is older than the 30 days this model keeps rows"
        )
        assert receipt.taken == 2


def test_roles_and_names(door: Watched) -> None:
    """An operator sends nothing and pins no reference; a name must be known."""
    spec, sent = door.register(), [table(churn(14, 150))]
    accept, label = door.inferences.accept, door.inferences.accept_labels
    for send in (accept, label):
        with pytest.raises(Forbidden):
            send(OPERATOR, spec.name, sent, source="x")
        with pytest.raises(NotFound, match="register it first"):
            send(ADMIN, "nobody", sent, source="x")
    with pytest.raises(Forbidden):
        door.inferences.set_reference(OPERATOR, spec.name, sent, source="x")

    assert door.inferences.set_reference(ADMIN, spec.name, sent, source="x").rows == 150


def test_a_label_that_is_no_number_is_told(door: Watched) -> None:
    """The prediction is taken, its label is left out and the column named."""
    spec = door.register(PRICE)
    frame = prices(15, 3)
    frame["paid"] = ["10.5", "unknown", None]
    receipt = door.send(spec, frame)

    assert (receipt.taken, receipt.labels) == (3, 1)
    assert receipt.changed_types == [("label", "numeric", "text")]


def test_a_delivery_without_rows_leaves_a_receipt_alone(door: Watched) -> None:
    """No portion, an empty one and one that is refused whole stage no file."""
    spec = door.register()
    for sent in ([], [table(churn(16, 0))], [table(churn(16, 3).assign(p=7.0))]):
        receipt = door.inferences.accept(ADMIN, spec.name, sent, source="x")
        assert receipt.taken == 0
    assert staged(door) == []
    assert len(door.store.delivered(door.model(spec).id, 9)) == 3


def test_file_names_need_not_be_text(door: Watched) -> None:
    """A name with bytes that are no UTF-8, or very long, is kept as far as it can."""
    spec = door.register()
    door.send(spec, churn(17, 2), source="caf\udce9.csv")
    door.send(spec, churn(18, 2), source="a" * 900)
    long, odd = (d.source for d in door.store.delivered(door.model(spec).id, 2))

    assert odd == "caf?.csv"
    assert long == "a" * 200


def test_a_reference_is_pinned_with_its_hash(door: Watched) -> None:
    """Rows, labels, notes and importances; the file is what the hash says."""
    spec = door.register()
    frame = churn(19, 300)
    frame.loc[:9, "p"], frame.loc[:49, "left"] = 2.0, None
    receipt = door.refer(spec, frame.drop(columns="plan"))
    record = door.store.reference(door.model(spec).id, "1")
    assert record is not None
    stored = pq.read_table(record.path)

    assert (receipt.rows, receipt.labelled) == (stored.num_rows, 250)
    assert receipt.rows == 290
    assert receipt.notes == ("columns missing: plan", "10 rows refused")
    assert (record.hash, record.grid_id) == (receipt.hash, receipt.grid_id)
    assert sum(record.importance.values()) == pytest.approx(1)
    assert record.importance["f0"] > 0.9


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (churn(20, 99), "needs at least 100 rows"),
        (churn(20, 150).assign(p=9.0), r"\(150 refused\)"),
        (churn(20, 150).drop(columns="prediction"), "lacks prediction"),
        (churn(20, 0), "this one has 0"),
    ],
)
def test_a_reference_nobody_can_judge_by_is_refused(
    door: Watched, frame: pd.DataFrame, message: str
) -> None:
    """Too few rows or other columns: no file is written and nothing is pinned."""
    spec, folder = door.register(), door.settings.home_dir / "references"
    before = set(folder.iterdir()) if folder.exists() else set()
    with pytest.raises(InvalidInput, match=message):
        door.refer(spec, frame)

    assert (set(folder.iterdir()) if folder.exists() else set()) == before
    assert door.store.reference(door.model(spec).id, "1") is None


ODD: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "one class": lambda f: f.assign(prediction="stays", left="stays"),
    "unseen classes": lambda f: f.assign(prediction="new", left="other"),
    "no labels": lambda f: f.assign(left=None),
    "empty columns": lambda f: f.assign(age=None, plan=None, region=None),
    "constant columns": lambda f: f.assign(age=7.0, plan="a", p=1.0),
    "no score": lambda f: f.assign(p=np.nan),
    "infinite numbers": lambda f: f.assign(age=np.inf),
    "two numbers": lambda f: f.assign(age=[1.0, 2.0, *[np.nan] * (len(f) - 2)]),
    "largest floats": lambda f: f.assign(age=np.resize([LARGEST, -LARGEST, 0], len(f))),
    "a category each": lambda f: f.assign(plan=[f"c{i}" for i in range(len(f))]),
    "long texts": lambda f: f.assign(plan="a" * 10_000, region="b" * 10_000),
    "odd signs": lambda f: f.assign(plan="\0'\";--\u2028", region="\0\U0001f4a7"),
    "few features": lambda f: f.drop(columns=["age", "region", "p", "left"]),
}


def test_whatever_the_door_takes_is_flushed_and_judged(
    watched_postgresql: Watched,
) -> None:
    """Odd references, and odd rows among good ones on their bins.

    On PostgreSQL, which stores less than SQLite does: no NUL, no NaN in JSON.
    """
    watched = watched_postgresql
    spec = watched.register()
    for number, (name, spoil) in enumerate(ODD.items()):
        version = name.replace(" ", "-")
        watched.refer(spec, spoil(churn(100 + number, 150)), version=version)
    for number, (name, spoil) in enumerate(ODD.items()):
        mixed = pd.concat([churn(200 + number, 60), spoil(churn(300 + number, 90))])
        watched.send(spec, mixed, version=name.replace(" ", "-"))
    watched.flush()
    watched.judging.step()

    for name in ODD:
        version = name.replace(" ", "-")
        (found,) = watched.judgements.windows(watched.model(spec).id, version)
        assert watched.rows(spec, version=version) == found.rows == 150
        assert "could not be judged" not in found.sentence, (name, found.sentence)


def test_wide_and_long_models_are_taken(door: Watched) -> None:
    """300 features, 4,700 more columns and 10,000 categories go all the way."""
    names = [f"c{i}" for i in range(5_000)]
    features = (*(Feature(n, "numeric") for n in names[:300]), CHURN.features[1])
    spec = door.register(replace(CHURN, features=features))
    base = churn(26, 10_000).drop(columns="age")
    base["plan"] = [f"p{i}" for i in range(10_000)]
    numbers = pa.array(np.arange(10_000.0) % 97)
    whole = table(base)
    wide = pa.table(
        [*whole.columns, *[numbers] * 5_000], names=[*whole.schema.names, *names]
    ).slice(0, 300)
    door.inferences.set_reference(ADMIN, spec.name, [wide], source="x")
    receipt = door.inferences.accept(ADMIN, spec.name, [wide], source="x")
    many = door.register()
    door.refer(many, base.assign(age=1.0))
    door.send(many, base.assign(age=1.0))
    door.flush()

    assert (receipt.taken, len(receipt.unknown_columns)) == (300, 4_700)
    counts = door.counts(spec, MONDAY, MONDAY + DAY)
    assert {int(counts.rows(f"f{i}")[0]) for i in range(301)} == {
        int(counts.rows("prediction")[0])
    }
    plans = door.counts(many, MONDAY, MONDAY + DAY).columns["f1"][0]
    assert (plans[:500].sum(), plans[500], plans.sum()) == (500, 9_500, 10_000)


def importance(spec: ModelSpec, frame: pd.DataFrame, door: Watched) -> dict[str, float]:
    """The importances of a reference."""
    registered = door.register(spec)
    door.refer(registered, frame)
    record = door.store.reference(door.model(registered).id, "1")
    assert record is not None
    return dict(record.importance)


def test_importance_finds_what_a_model_uses(door: Watched) -> None:
    """In each kind of model the feature that decides has nearly all of the shares."""
    noise = np.random.default_rng(27).normal(size=1_000)
    noisy = tuple(
        replace(s, features=(*s.features, Feature("noise", "numeric")))
        for s in (ANIMAL, PRICE)
    )
    animal = animals(28, 1_000, noise=noise)
    animal["weight"] = animal["p_cat"] * 10
    price = prices(29, 1_000, noise=noise)

    assert importance(noisy[0], animal, door)["f0"] > 0.9
    assert importance(noisy[1], price, door)["f0"] > 0.9


def test_importance_of_the_owner_stays_and_nothing_is_made_up(door: Watched) -> None:
    """Given shares are kept as shares; a model that answers all alike has none."""
    own = replace(
        CHURN,
        features=tuple(
            replace(f, importance=v)
            for f, v in zip(CHURN.features, (0.6, 0.2), strict=True)
        ),
    )
    alike = churn(30, 200).assign(p=0.5, prediction="stays")
    without = replace(CHURN, columns=Columns(label="left"))

    assert importance(own, churn(31, 200), door) == pytest.approx(
        {"f0": 0.75, "f1": 0.25}
    )
    assert importance(without, alike, door) == {}


def test_errors_of_the_door_are_for_people(door: Watched) -> None:
    """Each refusal is a service error with a message that names the model."""
    spec = door.register()
    with pytest.raises(ServiceError, match=spec.name):
        door.send(spec, pd.DataFrame({"a": [1]}))
