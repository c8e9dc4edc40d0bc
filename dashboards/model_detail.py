"""One model whole: its verdict first, then all that is known of it."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, model_facts, parts, text
from dashboards.figures.health_strip import WORDS, health_strip, looks_like
from dashboards.model_words import (
    DRIFT_PATH,
    MODELS_PATH,
    PERFORMANCE_PATH,
    amount,
    archived_tag,
    days,
    kind_words,
    verdict_chip,
    verdict_word,
)
from dashboards.models_table import key, strip_words
from dashboards.monitoring.models import IDS
from services.models_views import HealthCell, ModelDetailView, ModelRow
from services.units import Preferences


def detail(
    view: ModelDetailView, prefs: Preferences, search: str | None, *, may_edit: bool
) -> Component:
    """The page of one model.

    Args:
        view: what is known.
        prefs: the reader's zone and theme.
        search: the query string, kept by the way back to the list.
        may_edit: whether to offer archiving and restoring.
    """
    cards = (
        model_facts.facts_card(view, prefs),
        model_facts.rules_card(view),
        model_facts.delay_card(view, IDS.delay, prefs),
    )
    return html.Div(
        [
            back_link(search),
            head_card(view, prefs, may_edit=may_edit),
            html.Div(
                [html.Div(card, className="third") for card in cards], className="grid"
            ),
            model_facts.versions_card(view, prefs),
            model_facts.schema_card(view),
            model_facts.deliveries_card(view, prefs),
            yaml_card(view),
        ],
        className="stack model-detail",
    )


def back_link(search: str | None) -> Component:
    """The way back to the list as it was."""
    return dcc.Link(
        [parts.icon("chevron-left"), "All models"],
        href=links.href(MODELS_PATH, links.with_query(search, model=None)),
        className="back-link",
    )


def missing(name: str, search: str | None) -> Component:
    """A model that does not exist."""
    state = parts.empty_state(
        f"There is no model {name[:80]}",
        "Check the address, or choose one from the list.",
    )
    return html.Div(
        [back_link(search), html.Div(state, className="panel")], className="stack"
    )


def head_card(
    view: ModelDetailView, prefs: Preferences, *, may_edit: bool
) -> Component:
    """The name, the verdict in one sentence, and the strip with its dates."""
    row = view.row
    tags = [
        parts.tag(f"version {row.version}") if row.version else None,
        parts.tag("champion") if _champion(view) else None,
        parts.simulated_badge() if row.simulated else None,
        archived_tag() if row.archived else None,
    ]
    name = html.Div(
        [
            html.H2(row.name, className="model-title"),
            html.Span(kind_words(row.kind), className="place"),
            *[tag for tag in tags if tag],
        ],
        className="header-name",
    )
    return parts.card(
        None,
        html.Div([name, _actions(row, may_edit)], className="model-head"),
        _verdict(row),
        _numbers(row, view, prefs),
        _strip(row, prefs),
        class_name="model-card",
    )


def _champion(view: ModelDetailView) -> bool:
    return any(v.champion and v.version == view.row.version for v in view.versions)


def _actions(row: ModelRow, may_edit: bool) -> Component:
    search = links.build_search({"model": row.name})
    word = "restore" if row.archived else "archive"
    items: list[Component] = [
        dcc.Link(
            [parts.icon("graph-up"), "Performance"],
            href=links.href(PERFORMANCE_PATH, search),
            className="btn btn-outline-secondary btn-with-icon",
        ),
        dcc.Link(
            [parts.icon("grid-3x3"), "Drift"],
            href=links.href(DRIFT_PATH, search),
            className="btn btn-outline-secondary btn-with-icon",
        ),
    ]
    if may_edit:
        items += [
            html.Button(
                [parts.icon("archive"), word.capitalize()],
                id=IDS.ask,
                type="button",
                className="btn btn-outline-secondary btn-with-icon",
            ),
            dcc.Store(id=IDS.action, data=word),
        ]
    return html.Div(items, className="model-actions")


def _verdict(row: ModelRow) -> Component:
    return html.P(
        [
            verdict_chip(row.state, row.severity, row.verdict),
            html.Span(row.sentence, className="model-sentence"),
        ],
        className="model-verdict",
    )


def _numbers(row: ModelRow, view: ModelDetailView, prefs: Preferences) -> Component:
    name, value = row.headline or ("Measure", None)
    newest = parts.moment(row.last_data, view.now, prefs)
    shown = [
        parts.figure_tile(name, amount(value), "newest known value"),
        parts.figure_tile("Rows", text.number(row.rows, 0), "in the newest window"),
        parts.figure_tile(
            "Labels arrived",
            text.share(row.label_coverage),
            "of the newest full window",
        ),
        parts.figure_tile("Label delay", days(row.label_lag_days), "median"),
        html.Div(
            [
                html.Div("Newest data", className="tile-name"),
                html.Div(newest, className="tile-value"),
                html.Div(text.local_date(row.last_data, prefs), className="tile-note"),
            ],
            className="tile",
        ),
    ]
    return parts.tiles(*shown)


def _strip(row: ModelRow, prefs: Preferences) -> Component:
    if not row.strip:
        return parts.empty_state(
            "No window yet",
            "The strip begins with the first predictions and a pinned reference.",
        )
    cells = row.strip
    dates = [
        text.local_date(when, prefs)
        for when in (cells[0].start, cells[len(cells) // 2].start, cells[-1].end)
    ]
    width = {"width": f"{100 * len(cells) / 52:.1f}%"}
    ends = [html.Span(date) for date in (dates if len(cells) > 25 else dates[::2])]
    return html.Div(
        [
            html.Div(key(prefs.theme), className="list-head"),
            health_strip(cells, strip_words(cells), prefs.theme, "strip strip-wide"),
            html.Div(html.Div(ends, style=width), className="strip-dates"),
            _windows(row, prefs),
        ],
        className="model-strip",
    )


def _windows(row: ModelRow, prefs: Preferences) -> Component:
    """Every window in words, newest first: also the text of the strip."""
    rows = [_window(cell, row, prefs) for cell in reversed(row.strip)]
    table = parts.data_table(
        "Verdict of each window", ["Window from", "Verdict", "Severity", "Why"], rows
    )
    return html.Details(
        [
            html.Summary(f"The {len(rows)} windows in words"),
            html.Div(table, className="tall-table"),
        ],
        className="windows",
    )


def _window(cell: HealthCell, row: ModelRow, prefs: Preferences) -> list[object]:
    start = cell.start.isoformat().replace("+00:00", "Z")
    address = links.build_search({"model": row.name, "at": start})
    look = looks_like(cell)
    known = cell.severity in parts.SEVERITY
    return [
        dcc.Link(
            text.local_date(cell.start, prefs), href=links.href(DRIFT_PATH, address)
        ),
        verdict_word(cell.state, cell.verdict),
        parts.SEVERITY[cell.severity][1] if known else WORDS[look].capitalize(),
        cell.sentence or text.NO_DATA,
    ]


def yaml_card(view: ModelDetailView) -> Component:
    """The model's own file, to copy or to download."""
    path = f"/api/v1/models/{view.row.name}"
    actions = html.Div(
        [
            dcc.Clipboard(content=view.yaml, title="Copy", className="action copy"),
            html.A(
                [parts.icon("download"), "Download"],
                href=links.href(path, "?format=yaml"),
                download=f"{view.row.name}.yaml",
                className="action",
            ),
        ],
        className="actions",
    )
    block = html.Pre(
        view.yaml,
        className="command yaml",
        tabIndex=0,
        **parts.aria(label="The model as YAML"),
    )
    note = "python cli.py model apply FILE.yaml brings an edited file back."
    return parts.card(
        "Model file", block, html.P(note, className="row-note"), actions=actions
    )
