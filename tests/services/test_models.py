"""The register of models: apply, change, archive, list, detail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from data.judgement_store import JudgementStore
from data.model_records import Threshold
from services.access import Principal
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.model_spec import read_yaml
from services.models_views import ModelsQuery
from tests.conftest import ADMIN, OPERATOR, SYSTEM, VIEWER
from tests.model_door import HEADER, MONDAY, WEEK, YAML, ModelDoor, door, line

__all__ = ["door"]
SPEC = read_yaml(YAML)


def names(door: ModelDoor, **query: object) -> list[str]:
    """The names on a page, in order."""
    view = door.models.page(VIEWER, ModelsQuery(**query))  # type: ignore[arg-type]
    return [row.name for row in view.rows]


def test_a_model_is_created_changed_and_left_alone(door: ModelDoor) -> None:
    """The same file twice changes nothing; another makes its version the champion."""
    newer = replace(SPEC, version="2", owner="Growth")

    assert door.models.apply(ADMIN, SPEC)[1] == "created"
    assert door.models.apply(ADMIN, SPEC)[1] == "unchanged"
    model, outcome = door.models.apply(ADMIN, newer, {"commit": "a41f"})

    assert (outcome, model.revision, model.spec) == ("changed", 2, newer)
    assert door.models.get(VIEWER, "churn").spec == newer
    known = door.models.versions(VIEWER, "churn")
    assert [(v.version, dict(v.lineage)) for v in known] == [
        ("1", {}),
        ("2", {"commit": "a41f"}),
    ]
    assert door.models.apply(ADMIN, newer)[1] == "unchanged"
    assert read_yaml(door.models.export_yaml(VIEWER, "churn")) == newer


def test_each_change_is_audited_with_what_it_changed(door: ModelDoor) -> None:
    """Create, change, archive and restore leave one line each, no change none."""
    door.models.apply(ADMIN, SPEC)
    door.models.apply(ADMIN, replace(SPEC, owner="Growth"))
    door.models.apply(ADMIN, replace(SPEC, owner="Growth"))
    door.models.archive(OPERATOR, "churn")
    door.models.archive(OPERATOR, "churn")
    door.models.restore(OPERATOR, "churn")

    lines = list(reversed(door.stores.audit.lines(SYSTEM)))
    assert [(entry.action, entry.actor) for entry in lines] == [
        ("model.create", "admin"),
        ("model.change", "admin"),
        ("model.archive", "operator"),
        ("model.restore", "operator"),
    ]
    assert lines[1].detail == {"changed": ["owner"], "revision": 2}
    assert lines[1].subject == "churn"


def test_stored_rows_keep_their_meaning(door: ModelDoor) -> None:
    """Kind, classes and types are free until rows came, and then a conflict."""
    regression = read_yaml(
        "name: churn\nkind: regression\nfeatures: [{name: age, type: categorical}]\n"
    )
    door.apply()
    assert door.models.apply(ADMIN, regression)[0].spec.kind == "regression"
    door.apply()
    door.run(door.file("a.csv", "\n".join([HEADER, *map(line, range(3))])))

    with pytest.raises(Conflict, match="kind of churn cannot change"):
        door.models.apply(ADMIN, regression)
    assert door.models.get(VIEWER, "churn").spec.kind == "binary"


def test_a_change_under_an_old_revision_is_a_conflict(
    door: ModelDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two people who read the same revision the second is told; nothing is lost."""
    door.apply()
    read = door.store.model("churn")
    door.models.replace(OPERATOR, replace(SPEC, owner="First"))
    monkeypatch.setattr(door.store, "model", lambda _name: read)

    with pytest.raises(Conflict, match="changed by somebody else"):
        door.models.replace(OPERATOR, replace(SPEC, owner="Second"))
    monkeypatch.undo()
    assert door.models.get(VIEWER, "churn").spec.owner == "First"


def test_two_who_register_one_name_at_once(
    door: ModelDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is slower gets a conflict, not a failure of the database."""
    found = iter([None, door.store.model("churn"), SPEC])
    door.apply()
    monkeypatch.setattr(door.store, "model", lambda _name: next(found))
    next(found)

    with pytest.raises(Conflict, match="registered by somebody else"):
        door.models.apply(ADMIN, SPEC)


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        ("apply", ADMIN),
        ("replace", OPERATOR),
        ("archive", OPERATOR),
        ("restore", OPERATOR),
    ],
)
def test_roles(door: ModelDoor, call: str, needs: Principal) -> None:
    """Whoever ranks below the role of an action is refused, and the role is not."""
    door.apply()
    argument = SPEC if call in {"apply", "replace"} else "churn"
    lower = {ADMIN: OPERATOR, OPERATOR: VIEWER}[needs]

    with pytest.raises(Forbidden):
        getattr(door.models, call)(lower, argument)
    getattr(door.models, call)(needs, argument)


def test_an_operator_changes_limits_but_not_the_schema(door: ModelDoor) -> None:
    """Thresholds go through and are checked; features and versions need an Admin."""
    door.apply()
    limit = (Threshold("auc", below=0.7),)

    changed = door.models.replace(OPERATOR, replace(SPEC, thresholds=limit))

    assert (changed.spec.thresholds, changed.revision) == (limit, 2)
    with pytest.raises(Forbidden, match=r"features, version of churn.*model apply"):
        door.models.replace(
            OPERATOR, replace(SPEC, version="9", features=SPEC.features[:1])
        )
    with pytest.raises(InvalidInput, match="mae is none of"):
        door.models.replace(
            OPERATOR, replace(SPEC, thresholds=(Threshold("mae", above=1.0),))
        )


@pytest.mark.parametrize(
    ("lineage", "says"),
    [
        ({str(i): 1 for i in range(41)}, "at most 40"),
        ({"run": ["a"]}, "lineage 'run'"),
        ({"run": "x" * 401}, "at most 400"),
    ],
)
def test_a_lineage_is_short_and_plain(
    door: ModelDoor, lineage: dict[str, object], says: str
) -> None:
    """Too many, nested or long entries are refused by name."""
    with pytest.raises(InvalidInput, match=says):
        door.models.apply(ADMIN, SPEC, lineage)


def test_unknown_names_are_not_found(door: ModelDoor) -> None:
    """Every read of a model or version that does not exist says so."""
    door.apply()
    for read in (door.models.get, door.models.detail, door.models.header):
        with pytest.raises(NotFound, match="There is no model nobody"):
            read(VIEWER, "nobody")
    with pytest.raises(NotFound, match="churn has no version 7"):
        door.models.header(VIEWER, "churn", "7")


def fleet(door: ModelDoor) -> None:
    """Five models: bad, doubtful, fine, without data, archived."""
    owners = {"fine": "Zoe", "bad": "", "doubt": "amy", "empty": "Zoe", "old": "Zoe"}
    for name, owner in owners.items():
        door.apply(name=name, owner=owner or "''")
    door.judged("fine", lag=3.0, coverage=0.2)
    door.judged("bad", state="look", severity="high", kind="concept_drift", lag=9.0)
    door.judged("doubt", state="cannot_tell", kind="cannot_tell", lag=None)
    door.judged("old", state="look", severity="critical")
    door.models.archive(OPERATOR, "old")


def test_the_list_is_worst_first_and_counts_what_it_filters(door: ModelDoor) -> None:
    """Each count is the number of rows its filter shows; archived ones are apart."""
    fleet(door)
    view = door.models.page(VIEWER, ModelsQuery())

    assert [row.name for row in view.rows] == ["bad", "doubt", "fine", "empty"]
    assert dict(view.counts) == {
        "all": 4, "look": 1, "cannot_tell": 1, "fine": 1, "none": 1,
        "late_labels": 1, "archived": 1,
    }  # fmt: skip
    for state, count in view.counts.items():
        assert len(names(door, state=state)) == count
    assert names(door, state="late_labels") == ["fine"]
    assert names(door, state="archived") == ["old"]
    assert (view.size, view.found, view.pages) == (5, 4, 1)
    assert view.owners == ("amy", "Zoe")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"text": "zoe RETAIL"}, ["fine", "empty"]),
        ({"text": "zoe nothing"}, []),
        ({"owner": "amy"}, ["doubt"]),
        ({"tag": "retail", "kind": "regression"}, []),
        ({"sort": "name", "descending": True}, ["fine", "empty", "doubt", "bad"]),
        ({"sort": "owner"}, ["doubt", "empty", "fine", "bad"]),
        ({"sort": "label_lag", "descending": True}, ["bad", "fine", "doubt", "empty"]),
        ({"sort": "last_data"}, ["bad", "doubt", "fine", "empty"]),
        ({"page": 9, "page_size": 3}, ["empty"]),
    ],
)
def test_search_and_order(door: ModelDoor, query: dict, found: list[str]) -> None:
    """All words must occur; what has no value comes last whichever way it is sorted."""
    fleet(door)
    assert names(door, **query) == found


@pytest.mark.parametrize(
    "query", [{"state": "x"}, {"sort": "x"}, {"kind": "x"}, {"page": 0}]
)
def test_a_list_that_does_not_exist_is_refused(door: ModelDoor, query: dict) -> None:
    """A wrong word names what is wrong."""
    with pytest.raises(InvalidInput, match=next(iter(query))):
        door.models.page(VIEWER, ModelsQuery(**query))


def test_a_strip_has_52_windows_and_shows_gaps(door: ModelDoor) -> None:
    """Windows without a verdict are gaps, and the last cell is the present week."""
    door.apply()
    door.judged("churn", weeks=2, end=MONDAY - WEEK)
    row = door.models.page(VIEWER, ModelsQuery()).rows[0]

    assert len(row.strip) == 52
    assert [cell.state for cell in row.strip[-4:]] == ["none", "fine", "fine", "none"]
    assert row.strip[-1].start == MONDAY
    assert all(a.end == b.start for a, b in zip(row.strip, row.strip[1:], strict=False))
    assert (row.headline, row.rows, row.label_coverage) == (("AUC", 0.83), 412, 0.9)
    assert row.last_data == MONDAY - WEEK + timedelta(days=1)


def test_the_strip_of_a_model_long_silent_ends_with_its_last_verdict(
    door: ModelDoor,
) -> None:
    """Data of years ago are seen in the list and on the model's own page alike."""
    door.apply()
    last = door.judged("churn", weeks=60, end=MONDAY - 100 * WEEK)[-1]
    row = door.models.page(VIEWER, ModelsQuery()).rows[0]

    assert row.strip[-1].start == last.start
    assert {cell.state for cell in row.strip} == {"fine"}
    assert door.models.detail(VIEWER, "churn").row.strip == row.strip


def test_a_page_reads_the_strips_of_its_own_rows(
    door: ModelDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many models there are, windows are read for those shown, in one read."""
    for number in range(7):
        door.apply(name=f"m{number}")
        door.judged(f"m{number}")
    door.models.page(VIEWER, ModelsQuery(page_size=2))
    read: list[int] = []
    real = JudgementStore.windows_of

    def counted(self, keys, since):
        read.append(len(keys))
        return real(self, keys, since)

    monkeypatch.setattr(JudgementStore, "windows_of", counted)
    door.models.page(VIEWER, ModelsQuery(page=2, page_size=2))
    assert read == [2]
    door.judged("m3", coverage=0.1)
    door.judged("m3", coverage=0.1, lag=5.0)

    view = door.models.page(VIEWER, ModelsQuery(page_size=2))
    assert sorted(read[1:]) == [1, 2]
    assert view.counts["late_labels"] == 1


def test_the_header_is_that_of_the_version_asked_for(door: ModelDoor) -> None:
    """Each version has its own verdict; archived models are no place to go to."""
    door.apply()
    door.apply(YAML + "version: '2'\n")
    door.apply(name="other")
    door.judged("churn", state="look", severity="high", kind="input_shift")
    door.judged("churn", version="1")
    door.models.archive(OPERATOR, "other")

    now, old = (door.models.header(VIEWER, "churn", v) for v in ("", "1"))
    assert (now.version, now.verdict, now.severity) == ("2", "input_shift", "high")
    assert (old.version, old.champion, old.verdict) == ("1", "2", "fine")
    assert now.versions == ("2", "1")
    assert now.options == (("churn", "churn"),)
    assert door.models.header(VIEWER, "other").options[-1] == ("other", "other")


def test_the_detail_says_what_came_and_what_was_odd(door: ModelDoor) -> None:
    """Versions, columns, thresholds and deliveries are told in words."""
    door.apply(YAML + "thresholds: [{metric: auc, below: 0.7}]\n")
    rows = [HEADER.replace("plan", "colour"), line(1), line(2, age="old")]
    door.run(door.file("week.csv", "\n".join(rows)))
    view = door.models.detail(VIEWER, "churn")
    (came,) = view.deliveries

    assert (came.source, came.read, came.taken, came.rejected) == ("week.csv", 2, 1, 1)
    assert came.notes == (
        "1 column not in the schema, left out: colour.",
        "1 column missing: plan.",
        "age should be numeric but held text.",
    )
    assert view.thresholds == ("auc below 0.7",)
    assert view.columns["score of 1"] == "p"
    assert [v.version for v in view.versions if v.champion] == ["1"]
    assert view.versions[0].reference is None
    assert read_yaml(view.yaml) == door.models.get(VIEWER, "churn").spec
