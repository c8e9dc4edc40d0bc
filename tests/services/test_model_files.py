"""Files of a model's rows: every form that comes, and every way it is broken."""

from __future__ import annotations

import csv
import gzip
import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services import model_files
from services.errors import Forbidden, InvalidInput
from services.model_files import FileOptions
from services.model_guess import propose
from services.model_imports import FileResult
from services.model_spec import read_yaml
from tests.conftest import ADMIN, OPERATOR
from tests.model_door import HEADER, ModelDoor, door, line

__all__ = ["door"]
COMMA = "pid;at;pred;p;age;plan;region;left\n"


def text(*lines: str, header: str = HEADER) -> str:
    """A CSV file."""
    return "\n".join([header, *lines, ""])


def taken(door: ModelDoor) -> pa.Table:
    """The staged predictions, in canonical columns."""
    paths = [b.path for b in door.store.staged(0) if b.kind == "inferences"]
    return pa.concat_tables([pq.read_table(path) for path in paths])


def one(
    door: ModelDoor, content: str | bytes, name: str = "f.csv", **more
) -> FileResult:
    """What became of one file."""
    return door.run(door.file(name, content), **more).files[0]


def parquet(frame: pd.DataFrame, **more) -> bytes:
    """The frame as the bytes of a Parquet file."""
    body = io.BytesIO()
    frame.to_parquet(body, **more)
    return body.getvalue()


def frame(rows: int = 4) -> pd.DataFrame:
    """Good rows as pandas has them."""
    return pd.DataFrame(
        {
            "pid": [f"id-{i}" for i in range(rows)],
            "at": pd.date_range("2026-03-09", periods=rows, freq="min", tz="UTC"),
            "pred": np.arange(rows) % 2,
            "p": 0.5,
            "age": np.arange(rows, dtype="float32"),
            "plan": pd.Categorical(["basic"] * rows),
            "region": "north",
        }
    )


def test_forms_of_one_file_give_the_same_rows(door: ModelDoor) -> None:
    """CSV, decimal commas, gzip, JSON lines and Parquet are read alike."""
    door.apply()
    plain = text(*(line(i, age=f"{i}.5") for i in range(3)))
    comma = COMMA + "".join(
        f"id-{i};09.03.2026 10:0{i};1;0,7;{i},5;basic;north;0\n" for i in range(3)
    )
    rows = list(csv.DictReader(io.StringIO(plain)))
    objects = [{**r, "age": float(r["age"]), "p": 0.7, "pred": 1} for r in rows]
    arrow = pa.Table.from_pylist(objects).to_pandas()
    forms = {
        "a.csv": plain, "b.csv": comma, "c.csv.gz": gzip.compress(plain.encode()),
        "d.jsonl": "\n".join(map(json.dumps, objects)), "e.parquet": parquet(arrow),
        "f.tsv": plain.replace(",", "\t"), "g.csv": plain.encode("utf-16"),
    }  # fmt: skip
    for name, content in forms.items():
        found = one(door, content, name)
        assert (found.problem, found.taken, found.labels) == (None, 3, 3), name

    table = taken(door).drop_columns("version")
    first = table.slice(0, 3).to_pylist()
    assert [row["f0"] for row in first] == [0.5, 1.5, 2.5]
    for place in range(0, table.num_rows, 3):
        assert table.slice(place, 3).to_pylist() == first


def test_refused_rows_stand_in_the_rejects_file(door: ModelDoor) -> None:
    """Each has its line, its reason and its text; all others go in."""
    door.apply()
    found = door.run(
        door.file(
            "f.csv", text(line(0), line(1, age="old"), "short,1", line(3, p=7), line(4))
        )
    )
    with (door.folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert (found.files[0].read, found.files[0].taken, found.files[0].rejected) == (
        5, 2, 3,
    )  # fmt: skip
    assert {(int(r["line"]), r["reason"]) for r in rows} == {
        (3, "age is no number: 'old'"),
        (4, "2 fields where the header has 8"),
        (5, "the score of 1 is 7: a probability lies in 0 to 1"),
    }
    assert next(r["row"] for r in rows if r["line"] == "3") == line(1, age="old")
    assert dict(found.reasons)["age is no number: 'old'"] == 1
    assert found.rejects_path == door.folder / "rejects.csv"


def test_a_number_that_may_be_a_thousand_is_refused(door: ModelDoor) -> None:
    """Among decimal commas 1.234 is neither guessed nor dropped silently."""
    door.apply()
    rows = [f"id-{i};2026-03-09 10:00;1;0,7;{age};b;n;0\n" for i, age in
            enumerate(("1,5", "1.234,5", "1.234"))]  # fmt: skip
    result = door.run(door.file("f.csv", COMMA + "".join(rows)))

    assert taken(door)["f0"].to_pylist() == [1.5, 1234.5]
    assert "a thousand or a fraction?" in result.reasons[0][0]


def test_empty_cells_are_missing_and_no_category(door: ModelDoor) -> None:
    """An empty cell of a CSV file is no value, in numbers, texts and labels."""
    door.apply()
    found = one(door, text(line(0, age="", plan="", region="", left="")))

    (row,) = taken(door).to_pylist()
    assert (row["f0"], row["f1"], row["g0"]) == (None, None, None)
    assert (found.taken, found.labels) == (1, 0)


def test_columns_that_differ_are_told(door: ModelDoor) -> None:
    """Unknown and missing columns are named; a renamed one is neither."""
    door.apply()
    header = HEADER.replace("age", "years").replace("region", "place")
    plain = one(door, text(line(0), header=header))
    maps = ("years=age", "place=ignore")
    mapped = one(door, text(line(0), header=header), maps=maps)

    assert plain.unknown_columns == ("years", "place")
    assert plain.missing_columns == ("age", "region")
    assert (mapped.unknown_columns, mapped.missing_columns) == ((), ("region",))


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (("years",), "write COLUMN=SCHEMA_COLUMN"),
        (("years=age",), "no column 'years'"),
        (("age=height",), "churn has no column 'height'"),
        (("plan=age",), "Two columns have the name age"),
    ],
)
def test_maps_that_cannot_be(door: ModelDoor, maps: tuple[str, ...], says: str) -> None:
    """A wrong map refuses the file and names what there is."""
    door.apply()
    assert says in (one(door, text(line(0)), maps=maps).problem or "")


DAMAGED = gzip.compress(text(*map(line, range(60_000))).encode())


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.csv", HEADER + "\n", "no row below it"),
        ("a.csv", "a,b\n1x,2x\n", "lacks pid, at, pred"),
        ("a.csv", bytes(range(256)) * 20, "binary"),
        ("a.xlsx", b"PK\x03\x04" + b"\0" * 100, "save the sheet as CSV"),
        ("a.json", "[1, 2]", "one JSON object per line"),
        ("a.jsonl", "{nothing}\n{more\n", "no line is a JSON object"),
        ("a.parquet", b"PAR1" + b"\0" * 99, "damaged"),
        ("a.parquet", parquet(frame(0)), "no row below it"),
        ("a.parquet", parquet(frame().assign(age=[[1]] * 4)), "age holds list"),
        ("a.csv.gz", DAMAGED[:-2_000], "nothing of it was taken"),
        ("a.csv", text(line(0, at="soon"), line(1, at="later")), "'at'"),
        ("a.csv", text(line(0), header=HEADER.replace("age,plan", "u,v")), "none of"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_is_refused_whole(
    door: ModelDoor, name: str, content: str | bytes, says: str
) -> None:
    """The message names the cause, nothing of it is kept, its neighbour goes in."""
    door.apply()
    good = door.file("good.csv", text(line(0)))
    result = door.run(door.file(name, content), good)

    assert says in (result.files[0].problem or "")
    assert "\n" not in (result.files[0].problem or "")
    assert (result.files[0].taken, result.files[1].taken) == (0, 1)
    assert taken(door).num_rows == 1
    staged = {b.path for b in door.store.staged(0)}
    left = {str(p) for p in door.stores.settings.staging_dir.glob("*.parquet")}
    assert left == staged


def test_missing_files_and_folders_are_named(door: ModelDoor) -> None:
    """A path that is no file says so; the rejects never overwrite a file to import."""
    door.apply()
    result = door.run(door.folder / "no.csv", door.folder)
    (door.folder / "rejects.csv").write_text(text(line(0)), encoding="utf-8")

    assert [f.problem for f in result.files] == [
        "there is no such file",
        "this is a folder: name the files in it, e.g. folder/*.csv",
    ]
    with pytest.raises(InvalidInput, match="is a file to import"):
        door.run(door.folder / "rejects.csv")


def test_five_thousand_columns_and_small_portions(
    door: ModelDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wide file is read; Parquet comes in portions and keeps its row numbers."""
    door.apply()
    monkeypatch.setattr(model_files, "PORTION_CELLS", 8_000)
    extra = {f"x{i}": i for i in range(5_000)}
    wide = text(line(0) + ",0" * 5_000, header=",".join([HEADER, *extra]))
    found = one(door, wide)
    assert (found.taken, len(found.unknown_columns)) == (1, 5_000)

    data = frame(2_500)
    data.loc[2_400, "p"] = 3.0
    result = door.run(door.file("long.parquet", parquet(data)))
    assert result.files[0].taken == 2_499
    assert "long.parquet,2401," in (door.folder / "rejects.csv").read_text()


def test_long_whole_numbers_stay_different_ids(door: ModelDoor) -> None:
    """Ids beyond the whole numbers of a float are not merged, in JSON or Parquet."""
    door.apply()
    ids = [2**60 + i for i in range(4)]
    data = frame().assign(pid=ids)
    lines = data.assign(at="2026-03-09T10:00:00Z").to_json(orient="records", lines=True)

    for content, name in ((lines, "a.jsonl"), (parquet(data), "a.parquet")):
        found = one(door, content, name)
        assert (found.taken, found.duplicates) == (4, 0)
    assert taken(door)["prediction_id"].to_pylist() == [*map(str, ids)] * 2


def test_local_times_are_read_in_their_zone(door: ModelDoor) -> None:
    """--tz says what times without a zone mean; a wrong zone is refused."""
    door.apply()
    rows = text(line(0, at="2026-03-09 10:00"))
    one(door, rows, tz="Asia/Kolkata")

    assert str(taken(door)["ts"][0]) == "2026-03-09 04:30:00"
    assert "is not a time zone" in (one(door, rows, tz="Mars/Base").problem or "")


def test_labels_come_late_and_say_when(door: ModelDoor) -> None:
    """A label file needs an id and a label; its times are kept."""
    door.apply()
    good = "pid,left,known_at\nid-0,1,2026-03-09 12:00\n,1,2026-03-09\n"
    found = one(door, good, kind="labels")
    wrong = one(door, "pid,what\na,1\n", kind="labels")
    path = next(b.path for b in door.store.staged(0) if b.kind == "labels")

    assert (found.read, found.taken, found.rejected) == (2, 1, 1)
    assert str(pq.read_table(path)["known_at"][0]) == "2026-03-09 12:00:00"
    assert "lacks" in (wrong.problem or "")


def test_several_files_make_one_reference(door: ModelDoor) -> None:
    """Rows of all files count together; a bad line is told, a bad file refuses all."""
    door.apply()
    files = [
        door.file("a.csv", text(*map(line, range(60)), "short")),
        door.file("b.csv", text(*map(line, range(60, 120)))),
    ]

    def pinned(*more):
        return door.imports.set_reference(
            ADMIN, "churn", [*files, *more], FileOptions(), progress=lambda *_: None
        )

    receipt = pinned()
    assert (receipt.rows, receipt.labelled) == (120, 120)
    assert "line 62, 1 fields where the header has 8" in receipt.notes[-1]
    with pytest.raises(InvalidInput, match=r"no\.csv: there is no such file"):
        pinned(door.folder / "no.csv")


def test_only_those_who_may_write_import(door: ModelDoor) -> None:
    """An Operator neither looks, imports nor pins."""
    door.apply()
    with pytest.raises(Forbidden):
        door.imports.look(OPERATOR, "inferences", "churn", [], FileOptions())
    with pytest.raises(Forbidden):
        door.imports.run(
            OPERATOR, "labels", "churn", [], FileOptions(),
            rejects_path=door.folder / "r.csv", progress=lambda *_: None,
        )  # fmt: skip
    with pytest.raises(Forbidden):
        door.imports.set_reference(
            OPERATOR, "churn", [], FileOptions(), progress=lambda *_: None
        )


def test_a_look_writes_nothing(door: ModelDoor) -> None:
    """It tells the columns that differ and the files that would be refused."""
    door.apply()
    header = HEADER.replace("age", "years")
    paths = [
        door.file("a.csv", text(line(0), header=header)), door.folder / "no.csv",
    ]  # fmt: skip
    good, bad = door.imports.look(ADMIN, "inferences", "churn", paths, FileOptions())

    assert (good.columns.unknown, good.columns.missing) == (("years",), ("age",))
    assert bad.problem == "there is no such file"
    assert door.store.staged(0) == []


def test_a_proposed_model_takes_its_own_file(door: ModelDoor) -> None:
    """The file it was proposed from can be imported under it at once."""
    data = frame(40).rename(columns={"pid": "id", "at": "timestamp", "p": "score"})
    path = door.file("churn.parquet", parquet(data))
    spec = read_yaml(propose(path))
    door.models.apply(ADMIN, spec)

    assert (spec.name, spec.kind, spec.positive) == ("churn", "binary", "1")
    assert dict(spec.columns.scores) == {"1": "score"}
    assert [(f.name, f.type) for f in spec.features] == [
        ("age", "numeric"), ("plan", "categorical"), ("region", "categorical"),
    ]  # fmt: skip
    assert door.run(path).files[0].taken == 40


def test_a_proposal_tells_numbers_from_classes(door: ModelDoor) -> None:
    """Fractions make a regression; a file without features or prediction is refused."""
    data = frame(40).rename(columns={"pred": "y_pred"})
    price = door.file("p.parquet", parquet(data.assign(y_pred=np.arange(40) / 3)))
    kinds = door.file(
        "k.csv", "id,prediction\n" + "".join(f"{i},k{i % 3}\n" for i in range(9))
    )
    assert read_yaml(propose(price)).kind == "regression"
    with pytest.raises(InvalidInput, match="features"):
        propose(kinds)
    with pytest.raises(InvalidInput, match="no column has a usual name"):
        propose(door.file("n.csv", "a,b\nx,1\n"))
