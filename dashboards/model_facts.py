"""The cards of one model: what it is, its versions, its features, its deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.figures.label_delay import HEIGHT, label_delay
from dashboards.model_words import days, kind_words
from services.models_views import DeliveryRow, FeatureFact, ModelDetailView, VersionRow
from services.units import Preferences

HASH_CHARACTERS = 12
REACHED: tuple[float, ...] = (0.5, 0.9, 0.99)
"""Shares of labels whose age is written beside the curve."""


def facts_card(view: ModelDetailView, prefs: Preferences) -> Component:
    """Who answers for the model and how it is watched."""
    row = view.row
    kept = view.retention_days
    lines = [
        parts.fact("Kind", kind_words(row.kind)),
        parts.fact("Owner", row.owner),
        parts.fact("Tags", ", ".join(row.tags)),
        parts.fact("Window", f"one {view.window}"),
        parts.fact(
            "Rows kept", "for ever" if kept is None else f"{text.number(kept, 0)} days"
        ),
        parts.fact("Registered", text.local_time(view.created_at, prefs)),
        parts.fact("Newest data", text.local_time(row.last_data, prefs)),
        parts.fact("Rows in the newest window", text.number(row.rows, 0)),
    ]
    said = html.P(view.description, className="card-words")
    return parts.card(
        "Facts",
        said if view.description else None,
        parts.facts(*lines),
        class_name="facts-card",
    )


def rules_card(view: ModelDetailView) -> Component:
    """Columns, classes, segments and thresholds."""
    lines = [
        parts.fact(name.replace("_", " ").capitalize(), html.Code(column))
        for name, column in view.columns.items()
    ]
    lines += [
        parts.fact("Classes", ", ".join(view.classes)),
        parts.fact("Segments", ", ".join(view.segments)),
        parts.fact("Thresholds", _lines(view.thresholds) or "none set"),
    ]
    return parts.card(
        "Columns and thresholds", parts.facts(*lines), class_name="facts-card"
    )


def _lines(words: Sequence[str]) -> list[Component]:
    return [html.Div(line) for line in words]


def delay_card(view: ModelDetailView, graph_id: str, prefs: Preferences) -> Component:
    """How long the labels of this model take."""
    row = view.row
    if not view.label_delay_days:
        content = parts.empty_state(
            "No label yet",
            "Labels may come late and in any order; performance is estimated until "
            "they do.",
        )
        return parts.card("Label delay", content)
    said = delay_words(view)
    coverage = text.share(row.label_coverage)
    note = (
        f"Newest full window: {coverage} of the predictions have their label."
        if row.label_coverage is not None
        else "No full window has labels yet."
    )
    figure = label_delay(view.label_delay_days, view.label_delay_shares, prefs.theme)
    return parts.card(
        "Label delay",
        html.P(said, className="card-words"),
        html.Div(
            parts.chart(graph_id, figure, said), style={"minHeight": f"{HEIGHT}px"}
        ),
        html.P(note, className="row-note"),
    )


def delay_words(view: ModelDetailView) -> str:
    """The label delay curve in one sentence, with its numbers."""
    pairs = [*zip(view.label_delay_days, view.label_delay_shares, strict=True)]
    told = []
    for share in REACHED:
        age = next((day for day, reached in pairs if reached >= share), None)
        if age is not None:
            told.append(f"{text.share(share)} after {days(age)}")
    if told:
        return f"Labels arrived: {', '.join(told)}."
    last, reached = pairs[-1]
    return f"Only {text.share(reached)} of the labels arrived within {days(last)}."


def versions_card(view: ModelDetailView, prefs: Preferences) -> Component:
    """The lineage: versions, their data and their pinned references."""
    if not view.versions:
        content = parts.empty_state(
            "No version yet", "A version begins with its first prediction."
        )
        return parts.card("Versions", content)
    table = parts.data_table(
        "Versions",
        [
            "Version",
            "Created",
            "Rows",
            "First data",
            "Last data",
            "Reference",
            "Lineage",
        ],
        [_version(row, prefs) for row in view.versions],
        numeric={2},
    )
    return parts.card(f"Versions ({len(view.versions)})", table)


def _version(row: VersionRow, prefs: Preferences) -> list[Any]:
    lineage = ", ".join(f"{name}: {value}" for name, value in row.lineage.items())
    return [
        [
            html.Span(row.version, className="version-name"),
            parts.tag("champion") if row.champion else None,
        ],
        text.local_date(row.created_at, prefs),
        text.number(row.rows, 0),
        text.local_date(row.first_data, prefs),
        text.local_date(row.last_data, prefs),
        _reference(row, prefs),
        html.Span(lineage or text.NO_DATA, className="row-note lineage"),
    ]


def _reference(row: VersionRow, prefs: Preferences) -> list[Component]:
    if row.reference is None:
        return [parts.chip("watch", "No reference")]
    said = [
        None
        if row.reference_rows is None
        else f"{text.number(row.reference_rows, 0)} rows",
        row.reference_source,
        None if row.reference_at is None else text.local_date(row.reference_at, prefs),
    ]
    return [
        html.Code(row.reference[:HASH_CHARACTERS], title=row.reference),
        html.Div(" · ".join(word for word in said if word), className="row-note"),
    ]


def schema_card(view: ModelDetailView) -> Component:
    """The features with their importance and what is missing of them."""
    if not view.features:
        content = parts.empty_state(
            "No feature yet", "The schema names them, or the first predictions do."
        )
        return parts.card("Features", content)
    largest = max((f.importance or 0.0 for f in view.features), default=0.0)
    table = parts.data_table(
        "Features",
        ["Feature", "Type", "Importance", "Missing in the newest window"],
        [_feature(feature, largest) for feature in view.features],
        numeric={3},
    )
    sources = sorted(
        {f.importance_source for f in view.features if f.importance_source}
    )
    note = f"Importance: {', '.join(sources)}." if sources else None
    return parts.card(
        f"Features ({len(view.features)})",
        html.Div(table, className="tall-table"),
        html.P(note, className="row-note") if note else None,
    )


def _feature(feature: FeatureFact, largest: float) -> list[Any]:
    share = feature.importance
    if share is None:
        importance: Any = text.NO_DATA
    else:
        width = 100 * share / largest if largest > 0 else 0
        # The bar is an element's width: style, not markup, so no data can break out.
        bar = html.Span(className="bar-fill", style={"width": f"{width:.1f}%"})
        importance = html.Div(
            [html.Span(bar, className="bar"), text.share(share, 1)],
            className="bar-cell",
        )
    return [
        [
            html.Span(feature.name),
            parts.tag("retired") if feature.retired else None,
        ],
        feature.type,
        importance,
        text.share(feature.missing_share, 1),
    ]


def deliveries_card(view: ModelDetailView, prefs: Preferences) -> Component:
    """What came, what was refused, and what looked new."""
    if not view.deliveries:
        content = parts.empty_state(
            "Nothing came yet",
            "Predictions and labels come by file, by call or from a watched folder.",
        )
        return parts.card("Deliveries", content)
    table = parts.data_table(
        "Deliveries",
        ["When", "What", "From", "Read", "Taken", "Repeated", "Refused", "Remarks"],
        [_delivery(row, view, prefs) for row in view.deliveries],
        numeric={3, 4, 5, 6},
    )
    return parts.card(
        f"Deliveries (newest {len(view.deliveries)})",
        html.Div(table, className="tall-table"),
    )


def _delivery(row: DeliveryRow, view: ModelDetailView, prefs: Preferences) -> list[Any]:
    refused = text.number(row.rejected, 0)
    return [
        parts.moment(row.at, view.now, prefs),
        row.kind.capitalize(),
        [row.source, html.Div(f"by {row.by}", className="row-note")],
        text.number(row.read, 0),
        text.number(row.taken, 0),
        text.number(row.duplicates, 0),
        parts.chip("watch", refused) if row.rejected else refused,
        _lines(row.notes) or text.NO_DATA,
    ]
