"""Models, versions, references, deliveries and staged files in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from threading import Barrier, Thread

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from data.judgement_store import JudgedWindow, ModelFacts, WindowResult
from data.model_records import ModelSpec, ReferenceRecord, Threshold
from data.model_store import Delivery, KnownKey, ModelStore
from data.model_tables import model_references
from data.session import Transaction
from tests.conftest import NOW
from tests.data.watched import CHURN, PRICE, Watched, watched

__all__ = ["watched"]


NAMES = count()


@pytest.fixture(scope="module")
def store(watched: Watched) -> ModelStore:
    """A store that the tests share: each has models of its own."""
    return watched.store


def add(store: ModelStore, spec: ModelSpec = CHURN) -> int:
    """A registered model's id, under a name nobody has."""
    with store.transaction() as tx:
        return store.add(tx, replace(spec, name=f"{spec.name}-{next(NAMES)}"), NOW)


def reference(model_id: int, version: str, rows: int = 10) -> ReferenceRecord:
    """A record of a reference; its rows tell it from others."""
    return ReferenceRecord(
        0, model_id, version, "9f2c61d4a7b0", "a" * 64, rows, 0, "training",
        "/r.parquet", {"columns": {}, "segments": {}}, {"f0": 1.0}, NOW, "ada",
    )  # fmt: skip


def pin(store: ModelStore, *records: ReferenceRecord) -> None:
    """Add references."""
    with store.transaction() as tx:
        for record in records:
            store.add_reference(tx, record)


def test_a_model_comes_back_as_it_was_registered(store: ModelStore) -> None:
    """Every field of a specification survives; models are listed by name."""
    spec = replace(
        CHURN, tags=("retail",), thresholds=(Threshold("auc", below=0.7),),
        retention_days=90, owner="Risk \u00fc", window="month",
    )  # fmt: skip
    with store.transaction() as tx:
        model_id = store.add(tx, replace(spec, name="zebra"), NOW)
        store.add(tx, replace(PRICE, name="apple", archived=True), NOW)
    found = store.model("zebra")
    names = [m.spec.name for m in store.models()]

    assert found is not None
    assert (found.id, found.revision, found.created_at) == (model_id, 1, NOW)
    assert found.spec == replace(spec, name="zebra")
    assert names == sorted(names)
    assert set(store.names()) >= {("apple", True), ("zebra", False)}
    assert store.model("nobody") is None


def test_a_change_needs_the_revision_it_was_read_at(store: ModelStore) -> None:
    """The second of two changes of one reading is refused."""
    model_id = add(store)
    (held,) = (m for m in store.models() if m.id == model_id)
    with store.transaction() as tx:
        assert store.replace(tx, held, replace(held.spec, owner="first"), NOW)
        assert not store.replace(tx, held, replace(held.spec, owner="second"), NOW)
    found = store.model(held.spec.name)

    assert found is not None
    assert (found.revision, found.spec.owner) == (2, "first")


def test_a_version_is_added_once_and_keeps_its_lineage(store: ModelStore) -> None:
    """Told again without lineage nothing changes; a new lineage replaces the old."""
    model_id = add(store)
    with store.transaction() as tx:
        store.put_version(tx, model_id, "1", NOW)
        store.put_version(tx, model_id, "2", NOW + timedelta(days=1), {"commit": "a"})
        store.put_version(tx, model_id, "2", NOW + timedelta(days=2))
        store.put_version(tx, model_id, "1", NOW, {"commit": "b"})
    found = store.versions(model_id)

    assert [(v.version, dict(v.lineage)) for v in found] == [
        ("1", {"commit": "b"}),
        ("2", {"commit": "a"}),
    ]
    assert found[1].created_at == NOW + timedelta(days=1)


def test_a_version_is_judged_by_its_own_newest_reference(store: ModelStore) -> None:
    """Without its own it is the model's newest; without any there is none."""
    model_id, other = add(store), add(store, PRICE)
    assert store.reference(model_id, "1") is None
    pin(store, *(reference(model_id, v, n) for v, n in (("1", 1), ("2", 2), ("1", 3))))
    pin(store, reference(other, "9", 4))
    rows = {v: store.reference(model_id, v) for v in ("1", "2", "9")}

    assert {v: r and r.rows for v, r in rows.items()} == {"1": 3, "2": 2, "9": 3}
    pin(store, reference(model_id, "2", 5))
    newest = store.reference(model_id, "9")
    assert newest is not None
    assert newest.rows == 5
    assert newest == replace(reference(model_id, "2", 5), id=newest.id)


def test_a_reference_can_be_neither_changed_nor_deleted(store: ModelStore) -> None:
    """The database itself refuses."""
    pin(store, reference(add(store), "1"))
    for change in (
        update(model_references).values(rows=1),
        delete(model_references),
    ):
        with pytest.raises(DBAPIError), store.transaction() as tx:
            tx.execute(change)


def test_staged_files_are_read_in_order_and_forgotten(store: ModelStore) -> None:
    """Above an id, up to an id; the file of a reference is never one to delete."""
    model_id = add(store)
    with store.transaction() as tx:
        for number, kind in enumerate(("inferences", "labels", "reference", "labels")):
            store.stage(tx, model_id, kind, "", f"/{number}", number + 1, NOW)
    files = store.staged(0)

    assert [(f.kind, f.path, f.rows) for f in files] == [
        ("inferences", "/0", 1), ("labels", "/1", 2), ("reference", "/2", 3),
        ("labels", "/3", 4),
    ]  # fmt: skip
    assert store.staged(files[1].id) == files[2:]
    assert store.moved(files[2].id) == ["/0", "/1"]
    store.unstage(files[2].id)
    assert store.staged(0) == files[3:]
    store.unstage(files[3].id)


def test_an_id_is_never_given_twice(store: ModelStore) -> None:
    """After all files are forgotten a new one still lies above the mark."""
    model_id = add(store)
    ids = []
    for _ in range(2):
        with store.transaction() as tx:
            store.stage(tx, model_id, "labels", "", "/a", 1, NOW)
        ids.append(store.staged(0)[0].id)
        store.unstage(ids[-1])

    assert ids[1] > ids[0]


def delivery(key: str | None, kind: str = "labels", taken: int = 1) -> Delivery:
    """What was sent."""
    return Delivery(NOW, "ada", kind, "file.csv", {"taken": taken}, key)


def test_a_key_is_taken_once_for_a_model_and_kind(store: ModelStore) -> None:
    """The second delivery is told the first one's receipt and leaves no trace."""
    model_id, other = add(store), add(store, PRICE)
    with store.transaction() as tx:
        store.deliver(tx, model_id, delivery("k"))
        store.deliver(tx, model_id, delivery("k", "inferences"))
        store.deliver(tx, other, delivery("k"))
        store.deliver(tx, model_id, delivery(None))
        store.deliver(tx, model_id, delivery(None))
    with pytest.raises(KnownKey) as known, store.transaction() as tx:
        store.stage(tx, model_id, "labels", "", "/a", 1, NOW)
        store.deliver(tx, model_id, delivery("k", taken=2))

    assert known.value.receipt == {"taken": 1}
    assert store.staged(0) == []
    assert len(store.delivered(model_id, 10)) == 4
    assert len(store.delivered(model_id, 3)) == 3


def at_once(store: ModelStore, act: Callable[[Transaction], None]) -> list[object]:
    """Act in two transactions that overlap; what became of each."""
    together, results = Barrier(2, timeout=20), []

    def run() -> None:
        together.wait()
        try:
            with store.transaction() as tx:
                act(tx)
            results.append("done")
        except (KnownKey, DBAPIError) as error:
            results.append(type(error))

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def test_two_deliveries_with_one_key_at_once(store: ModelStore) -> None:
    """One is taken; the other waits for it and is told its receipt."""
    model_id = add(store)
    for number in range(10):
        found = at_once(
            store, lambda tx, n=number: store.deliver(tx, model_id, delivery(f"k{n}"))
        )
        assert sorted(map(str, found)) == sorted(map(str, ["done", KnownKey]))
    assert len(store.delivered(model_id, 100)) == 10


def test_two_deliveries_that_name_a_new_version_at_once(store: ModelStore) -> None:
    """Both are taken; the version is there once."""
    model_id = add(store)
    for number in range(10):
        found = at_once(
            store, lambda tx, n=number: store.put_version(tx, model_id, f"v{n}", NOW)
        )
        assert found == ["done", "done"]
    assert len(store.versions(model_id)) == 10


def window(
    model_id: int, start: datetime, days: int, version: str = "1"
) -> JudgedWindow:
    """A judged window."""
    return JudgedWindow(
        model_id, version, start, start + timedelta(days=days), "fine", "fine",
        "none", "All fine.", ["f0"], "auc", 0.8, 100, 0.5,
    )  # fmt: skip


def test_judgements_are_replaced_and_forgotten(watched: Watched) -> None:
    """A window has one verdict; results go by their start, verdicts by version."""
    store, judgements = watched.store, watched.judgements
    model_id = add(store)
    days = [NOW + timedelta(days=i) for i in range(4)]
    with store.transaction() as tx:
        judgements.put_windows(tx, [window(model_id, d, 1) for d in days])
        judgements.put_windows(tx, [window(model_id, days[3], 7)])
        judgements.put_windows(tx, [window(model_id, days[0], 1, "2")])
        for version in ("1", "2"):
            judgements.put_facts(
                tx, ModelFacts(model_id, version, 1, None, None, None, 1)
            )
    for day in days:
        value = {"auc": 0.5, "reason": None}
        found = [WindowResult(day, day + timedelta(days=1), "domain", value)]
        judgements.put_results(model_id, "1", "grid", found)
    with store.transaction() as tx:
        judgements.forget_results(tx, model_id, "1", days[1], days[3])
    kept = judgements.window_results(
        model_id, "1", "grid", days[0], days[3] + timedelta(1)
    )

    assert [r.start for r in kept] == [days[0], days[3]]
    assert kept[0].value == {"auc": 0.5, "reason": None}
    spans = judgements.newest_spans()
    assert {k: v for k, v in spans.items() if k[0] == model_id} == {
        (model_id, "1"): (days[3], days[3] + timedelta(days=7)),
        (model_id, "2"): (days[0], days[1]),
    }
    assert [w.start for w in judgements.windows(model_id, "1", days[2])] == days[2:]
    with store.transaction() as tx:
        judgements.forget_windows(tx, model_id, "1")
    assert judgements.windows(model_id, "1") == []
    assert judgements.windows(model_id, "2") == [window(model_id, days[0], 1, "2")]
