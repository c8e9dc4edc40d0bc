"""The commands of monitored models, from the file to the closing table."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner, Result

import cli_models
from bootstrap import monitoring
from data.judgement_store import JudgementStore
from tests.conftest import ADMIN
from tests.model_door import HEADER, YAML, ModelDoor, door, line

__all__ = ["door"]


@pytest.fixture
def run(door: ModelDoor, monkeypatch: pytest.MonkeyPatch):
    """Runs a command line on the test's own stores."""
    app, imports = typer.Typer(), typer.Typer()
    app.add_typer(cli_models.model_app, name="model")
    app.add_typer(cli_models.reference_app, name="reference")
    app.add_typer(imports, name="import")
    imports.command("inferences")(cli_models.import_inferences)
    imports.command("labels")(cli_models.import_labels)
    stores = door.stores
    watched = monitoring(
        door.engine, stores.reader, stores.audit, stores.settings, stores.clock
    )
    services = SimpleNamespace(**vars(watched), clock=stores.clock, close=lambda: None)
    monkeypatch.setattr(cli_models, "_built", lambda: (door.stores.settings, services))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(cli_models.console, "width", 200)
    monkeypatch.setattr(cli_models.launch.errors, "width", 400)
    monkeypatch.chdir(door.folder)

    def command(*words: str | Path) -> Result:
        return CliRunner().invoke(app, list(map(str, words)))

    return command


def table(door: ModelDoor, *lines: str, name: str = "f.csv") -> Path:
    """A CSV file of rows."""
    return door.file(name, "\n".join([HEADER, *lines, ""]))


def test_apply_export_and_list(door: ModelDoor, run) -> None:
    """A file goes in, comes out the same, and the list shows it."""
    path = door.file("churn.yaml", YAML)
    made = run("model", "apply", path, "--lineage", "commit=a41f")
    exported = run("model", "export", "churn")
    door.file("again.yaml", exported.output)

    assert "churn is created: binary, version 1, 2 features, revision 1." in made.output
    assert "churn is unchanged" in run("model", "apply", "again.yaml").output
    assert "Risk team" in run("model", "list").output
    (version,) = door.models.versions(ADMIN, "churn")
    assert version.lineage == {"commit": "a41f"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"a: [", "no YAML in line"),
        (b"name: churn\nkind: tree\n", "kind: Input should be"),
        (b"x" * 9_000_000, "at most 2,000,000 characters"),
    ],
)
def test_a_model_file_that_cannot_be_applied(
    door: ModelDoor, run, content: bytes | None, says: str
) -> None:
    """The error names the cause, the status is 2, and nothing is registered."""
    path = door.folder / "m.yaml"
    if content is not None:
        path.write_bytes(content)
    result = run("model", "apply", path)

    assert result.exit_code == 2
    assert says in result.output
    assert door.models.list(ADMIN) == []


def test_predictions_and_labels_are_imported(door: ModelDoor, run) -> None:
    """The closing table counts; odd columns and refusals are told in words."""
    door.apply()
    path = door.file(
        "week.csv",
        "\n".join([HEADER.replace("plan", "colour"), line(0), line(1, age="old"), "x"]),
    )
    result = run("import", "inferences", "--model", "churn", path)
    labels = door.file("labels.csv", "pid,left\nid-0,1\nid-9,0\n")
    later = run("import", "labels", "--model", "churn", labels)

    assert result.exit_code == 0, result.output
    for words in (
        "Rows read", "1 column not in the schema, left out: colour.",
        "1 column missing: plan.", "age should be numeric but held text.",
        "1 rejected: age is no number: 'old'", "Rejected rows are in rejects.csv",
    ):  # fmt: skip
        assert words in result.output
    assert Path("rejects.csv").read_text(encoding="utf-8").count("week.csv") == 2
    assert later.exit_code == 0, later.output
    kinds = [d.kind for d in door.store.delivered(door.store.model("churn").id, 9)]
    assert kinds == ["labels", "inferences"]


def test_a_refused_file_gives_status_1_and_its_reason(door: ModelDoor, run) -> None:
    """The good file goes in, the other is named with what it lacks."""
    door.apply()
    good, bad = table(door, line(0)), door.file("bad.csv", "a,b\nx,y\n")
    result = run("import", "inferences", "--model", "churn", good, bad)

    assert result.exit_code == 1
    assert "1 of 2" in result.output
    assert "bad.csv: This is no file of churn: it lacks pid" in result.output
    assert run("import", "labels", "--model", "nobody", good).exit_code == 2


def test_a_dry_run_says_what_fits_and_writes_nothing(door: ModelDoor, run) -> None:
    """Status 2 only when no file could be taken."""
    door.apply()
    good, bad = table(door, line(0)), door.file("bad.csv", "a,b\nx,y\n")
    command = ("import", "inferences", "--model", "churn", "--dry-run")

    assert "fits the schema" in run(*command, good, bad).output
    assert run(*command, good, bad).exit_code == 0
    assert run(*command, bad).exit_code == 2
    assert door.store.staged(0) == []


def test_a_reference_is_pinned(door: ModelDoor, run) -> None:
    """The command says how many rows and labels it pinned, and for which version."""
    door.apply()
    path = table(door, *map(line, range(120)))
    result = run("reference", "set", "--model", "churn", "--version", "7", path)
    few = run("reference", "set", "--model", "churn", table(door, line(0)))

    assert result.exit_code == 0, result.output
    assert "120" in result.output
    model = door.store.model("churn")
    record = door.store.reference(model.id, "7")
    assert (record.rows, record.version, record.source) == (120, "7", "f.csv")
    assert few.exit_code == 2
    assert "at least 100 rows" in few.output
    assert JudgementStore(door.engine).facts(model.id) == []


def test_a_proposal_is_printed_as_yaml_alone(door: ModelDoor, run) -> None:
    """What is printed can be written to a file and applied."""
    data = table(door, *(line(i, pred=i % 2) for i in range(9)), name="leavers.csv")
    proposed = run("model", "infer", data)
    door.file("p.yaml", proposed.output)

    assert proposed.exit_code == 0, proposed.output
    assert "leavers is created: binary" in run("model", "apply", "p.yaml").output
    assert run("model", "infer", door.folder / "no.csv").exit_code == 2
