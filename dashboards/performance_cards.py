"""The tiles, tables and panels of the Performance tab."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.figures.intervals import paired_figure
from dashboards.ids import ident
from dashboards.performance_words import (
    decimals,
    here,
    interval,
    labelled,
    moment_key,
    period,
    picked_window,
    view_decimals,
    with_interval,
)
from services.performance_views import (
    METRIC_WORDS,
    MetricTile,
    PairedView,
    PerformanceView,
    PerformanceWindow,
    Point,
    provisional,
)
from services.units import Preferences

TAB = "performance"
TABLE_LIMIT = 60
"""Windows written out as a table; the file has them all."""


def tiles(view: PerformanceView, prefs: Preferences, search: str | None) -> Component:
    """Every metric of the picked window; each leads to its own chart."""
    shown = [_tile(tile, view, search) for tile in view.tiles]
    return html.Section(
        [
            _picked_row(view, prefs, search),
            html.Nav(shown, className="perf-tiles", **parts.aria(label="Metrics")),
        ]
    )


def _picked_row(
    view: PerformanceView, prefs: Preferences, search: str | None
) -> Component:
    window = picked_window(view)
    if window is None:
        words = "No window of this range has labels yet"
        return html.Div(html.H2(words, className="card-title"), className="perf-picked")
    place = view.windows.index(window)
    before = view.windows[place - 1] if place else None
    after = view.windows[place + 1] if place + 1 < len(view.windows) else None
    title = period(window.start, view.window, prefs)
    return html.Div(
        [
            html.Div(
                [
                    _step("chevron-left", "Window before", before, search),
                    _step("chevron-right", "Window after", after, search),
                ],
                className="perf-steps",
            ),
            html.H2(title[:1].upper() + title[1:], className="card-title"),
            html.Span(labelled(window), className="perf-note"),
            parts.tag("provisional") if provisional(view.windows)[place] else None,
            dcc.Link("Newest with labels", href=here(search, at=None))
            if view.query.at
            else None,
        ],
        className="perf-picked",
    )


def _step(
    icon: str, words: str, window: PerformanceWindow | None, search: str | None
) -> Component:
    if window is None:
        return html.Span(parts.icon(icon), className="step disabled")
    return dcc.Link(
        [parts.icon(icon), parts.hidden(words)],
        href=here(search, at=moment_key(window.start)),
        className="step",
        title=words,
    )


def _tile(tile: MetricTile, view: PerformanceView, search: str | None) -> Component:
    active = tile.metric == view.metric
    points = (tile.realised, tile.estimated, tile.reference)
    digits = decimals(tile.metric, [p.value for p in points])
    around = interval(tile.realised, digits) or tile.realised.reason or "no interval"
    return dcc.Link(
        [
            html.Span(METRIC_WORDS[tile.metric], className="tile-name"),
            parts.hidden("(shown)") if active else None,
            html.Span(
                text.number(tile.realised.value, digits),
                className="tile-value",
                title=tile.realised.reason,
            ),
            html.Span(around, className="tile-note perf-around"),
            _beside("Estimated", tile.estimated, digits),
            _beside("Reference", tile.reference, digits),
        ],
        href=here(search, metric=tile.metric),
        className="perf-tile" + (" active" if active else ""),
    )


def _beside(name: str, point: Point, digits: int) -> Component:
    return html.Span(
        [html.Span(name), value_cell(point, digits)], className="tile-note perf-beside"
    )


def value_cell(point: Point, digits: int) -> Component:
    """A value whose absence says why."""
    shown = text.number(point.value, digits)
    return html.Span(shown, title=point.reason if point.value is None else None)


def interval_cell(
    point: Point, digits: int, *, sign: bool = False, mark: str = ""
) -> Component | str:
    """A value with its interval; where there is none, a dash that says why."""
    if point.value is None:
        return value_cell(point, digits)
    return with_interval(point, digits, sign=sign) + mark


def window_table(view: PerformanceView, prefs: Preferences) -> Component:
    """The numbers of the main chart, newest first."""
    digits = view_decimals(view)
    shown = view.windows[::-1][:TABLE_LIMIT]
    rows = [
        [
            period(w.start, view.window, prefs),
            interval_cell(w.realised, digits),
            interval_cell(w.estimated, digits),
            interval_cell(w.gap, digits, sign=True, mark=" ◆" if w.outside else ""),
            f"{text.number(w.labelled, 0)} of {text.number(w.rows, 0)}",
        ]
        for w in shown
    ]
    table = parts.data_table(
        f"{METRIC_WORDS[view.metric]} for each window; ◆ = the gap leaves its band",
        ("Window", "Realised", "Estimated", "Realised minus estimated", "Labelled"),
        rows,
        numeric=(1, 2, 3, 4),
    )
    return html.Details(
        [html.Summary("The numbers as a table"), table], className="perf-details"
    )


def paired_card(
    view: PerformanceView, prefs: Preferences, search: str | None
) -> Component:
    """Champion against challenger, or how to get there."""
    title = "Champion against challenger"
    if view.paired is None:
        return parts.card(title, *_no_challenger(view, search))
    paired = view.paired
    metric = "mae" if view.kind == "regression" else "accuracy"
    known = [paired.overall.value, *(p.value for p in paired.difference)]
    digits = decimals(metric, known)
    unit = paired.unit[:1].upper() + paired.unit[1:]
    name = f"{unit} of version {paired.challenger} minus version {paired.champion}"
    chart = parts.chart(
        ident(TAB, "paired"),
        paired_figure(paired, digits, prefs),
        f"{name}, over time. {paired.sentence}",
    )
    return parts.card(
        title,
        html.P(paired.sentence, className="perf-sentence"),
        html.P(_overall(paired, name, digits), className="perf-note"),
        chart,
        actions=dcc.Link(
            "Stop comparing", href=here(search, against=None), className="action"
        ),
    )


def _overall(paired: PairedView, name: str, digits: int) -> str:
    overall = with_interval(paired.overall, digits, sign=True)
    rows = text.number(paired.rows, 0)
    return f"{name}: {overall} over {rows} predictions that both made."


def _no_challenger(view: PerformanceView, search: str | None) -> list[Component]:
    if view.challengers:
        offers = [
            dcc.Link(
                f"Compare with {version}",
                href=here(search, against=version),
                className="action",
            )
            for version in view.challengers
        ]
        words = (
            f"{view.query.against} and {view.version} have no labelled prediction in "
            "common in this range."
            if view.query.against
            else "Other versions have scored the same predictions. Each can be "
            "compared pair by pair:"
        )
        return [
            html.P(words, className="perf-note"),
            html.Div(offers, className="actions"),
        ]
    return [
        html.P(
            "No other version has scored the same predictions yet. Log a challenger's "
            "predictions under the same prediction ids with its own version; from then "
            "on both are compared pair by pair here, with an interval.",
            className="perf-note",
        )
    ]


def segment_card(view: PerformanceView, search: str | None) -> Component:
    """The metric in each segment over the whole range."""
    known = [row.realised.value for row in view.segment_rows]
    digits = decimals(view.metric, [*known, view.reference.value])
    rows = [
        [
            dcc.Link(row.segment, href=here(search, segment=row.segment, at=None)),
            text.number(row.rows, 0),
            text.number(row.labelled, 0),
            interval_cell(row.realised, digits),
            value_cell(row.estimated, digits),
            parts.chip("watch", "Worse") if row.worse else "",
        ]
        for row in view.segment_rows
    ]
    name = METRIC_WORDS[view.metric]
    table = parts.data_table(
        f"{name} in each segment, whole range",
        ("Segment", "Predictions", "Labelled", f"{name}, realised", "Estimated", ""),
        rows,
        numeric=(1, 2, 3, 4),
    )
    return parts.card("Segments", table, class_name="perf-segments")


def notes(view: PerformanceView) -> Component:
    """How the numbers are made, and which reference they are held against."""
    lines = [html.Li(note) for note in view.notes]
    if view.reference_hash:
        lines.append(html.Li(["Reference ", html.Code(view.reference_hash)]))
    return html.Section(
        [
            html.H2("How these numbers are made", className="card-title"),
            html.Ul(lines, className="perf-notes"),
        ],
        className="perf-foot",
    )
