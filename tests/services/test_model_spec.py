"""A model's file: what is taken, and what every wrong one is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model_records import MODEL_NAME_PATTERN, Feature, ModelSpec, Threshold
from services.errors import Conflict, InvalidInput
from services.model_spec import merged, read_document, read_yaml, write_yaml

BASE = """name: m
kind: binary
classes: [a, b]
features:
- {name: x, type: numeric}
"""
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def spec(*features: str, **changes: object) -> ModelSpec:
    """A binary model with numeric features."""
    found = tuple(Feature(name, "numeric") for name in features or ("x",))
    plain = ModelSpec("m", "binary", found, classes=("a", "b"), positive="b")
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "A model file is a mapping"),
        ("[1, 2]", "A model file is a mapping"),
        ("a: [", "no YAML in line"),
        ("\0\1", "no YAML"),
        ("!!python/object/apply:os.system ['ls']", "no YAML in line 1"),
        (BASE + "---\n" + BASE, "no YAML in line"),
        ("x" * 2_000_001, "at most 2,000,000 characters"),
        (BASE + BOMB, "a: Extra inputs are not permitted"),
        (BASE + BOMB.replace("a: &a", "tags: &a", 1), "Extra inputs"),
        (BASE.replace("name: m", "name: " + "m" * 10_000, 1), "name: String should"),
        (BASE + "colour: red\n", "colour: Extra inputs"),
        (BASE.replace("binary", "tree"), "kind: Input should be"),
        (BASE.replace("numeric", "number"), "features.0.type"),
        (BASE.replace("numeric}", "numeric, importance: .nan}"), "importance"),
        (BASE.replace("numeric}", "numeric, importance: 2}"), "importance"),
        (BASE + "- {name: x, type: numeric}\n", "features named twice: x"),
        (BASE.replace("[a, b]", "[a, a]"), "different classes"),
        (BASE.replace("[a, b]", "[a, b, c]"), "use kind: multiclass"),
        (BASE + "positive: z\n", "z is none of the classes"),
        (BASE + "columns: {scores: {z: p}}\n", "columns.scores: z"),
        (BASE + "columns: {scores: {a: p}}\npositive: b\n", "its positive class"),
        (BASE + "thresholds: [{metric: mae, above: 1}]\n", "mae is none of"),
        (BASE + "thresholds: [{metric: auc}]\n", "either below or above"),
        (BASE + "retention_days: 0\n", "retention_days"),
        (BASE + "window: year\n", "window"),
        (BASE.replace("  x", "").replace("name: x", "name: ''"), "features.0.name"),
        ("a: " + "[" * 50_000, "nested too deeply"),
        (BASE + "retention_days: " + "9" * 5_000, "too many digits"),
        (BASE + "thresholds: [{metric: auc, below: .nan}]\n", "finite number"),
        (BASE + "kind: regression\n", "kind is given twice"),
        (BASE + 'owner: "a\\0b"\n', "control characters"),
        (BASE + f"tags: [{'t' * 201}]\n", "tags.0: String should have at most 200"),
        (BASE + "columns: {id: p, timestamp: p}\n", "p is named for two parts"),
        ("".join([BASE, *(f"- {{name: f{i}, type: numeric}}\n" for i in range(1000))]),
         "1,001 features are more than the 1,000"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_what_is_wrong(text: str, says: str) -> None:
    """Each gets one message that names the place or the limit."""
    with pytest.raises(InvalidInput) as error:
        read_yaml(text)

    assert says in str(error.value)
    assert len(str(error.value)) < 1_000


@given(
    name=st.from_regex(MODEL_NAME_PATTERN.replace("$", r"\Z"), fullmatch=True),
    owner=TEXT, description=TEXT, tags=st.lists(TEXT, max_size=3),
    features=st.lists(TEXT.filter(bool), min_size=1, max_size=5, unique=True),
)  # fmt: skip
def test_what_is_written_is_read_back(
    name: str, owner: str, description: str, tags: list[str], features: list[str]
) -> None:
    """Any names and words survive the way to a file and back."""
    limit = Threshold("auc", below=0.5)
    made = spec(*features, name=name, owner=owner, description=description,
                tags=tuple(tags), thresholds=(limit,))  # fmt: skip

    assert read_yaml(write_yaml(made)) == made


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["name", "kind", "features", "columns", "classes", "x"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_document_is_taken_or_refused(document: object) -> None:
    """Whatever is sent, the answer is a specification or a message, never a failure."""
    try:
        assert isinstance(read_document(document), ModelSpec)
    except InvalidInput as error:
        assert str(error)


def test_features_keep_their_place() -> None:
    """New ones come last, those left out are retired, and one may come back."""
    first = merged(spec("a", "b"), spec("c", "a"), pinned=True)
    again = merged(first, spec("b", "a", "c"), pinned=True)

    assert [(f.name, f.retired) for f in first.features] == [
        ("a", False), ("b", True), ("c", False),
    ]  # fmt: skip
    assert [(f.name, f.retired) for f in again.features] == [
        ("a", False), ("b", False), ("c", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "multiclass"}, "kind of m cannot change"),
        ({"classes": ("a", "c")}, "classes of m"),
        ({"positive": "a"}, "positive of m"),
        ({"segments": ("x",)}, "segments of m"),
        ({"features": (Feature("x", "categorical"),)}, "cannot become categorical"),
    ],
)
def test_what_rows_are_stored_under_is_fixed(changes: dict, says: str) -> None:
    """Once rows exist their meaning stays; before that everything may change."""
    new = spec(**changes)

    assert merged(spec(), new, pinned=False) == new
    with pytest.raises(Conflict, match=says):
        merged(spec(), new, pinned=True)
