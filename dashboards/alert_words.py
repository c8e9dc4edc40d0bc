"""Ids, addresses and words of the Alerts tab."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.ids import ident
from data.alert_records import Alert
from services.alert_metrics import ALERT_METRICS
from services.alert_views import ended_at, state_of
from services.units import Preferences, convert, unit

TAB = "alerts"
PATH = "/monitoring/alerts"
SOURCES: Mapping[str, str] = {"device": "Heaters", "model": "Models"}
AGES: Mapping[str, str] = {
    "1h": "Last hour",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
}
STATES: Mapping[str, tuple[str, str]] = {
    "active": ("bell-fill", "Active"),
    "acknowledged": ("eye", "Acknowledged"),
    "cleared": ("arrow-down-circle", "Cleared"),
    "shelved": ("pause-circle", "Shelved"),
    "resolved": ("check-circle-fill", "Resolved"),
    "closed": ("check-circle", "Cleared, acknowledged"),
}
"""Where an alert stands -> its shape and words."""
VERDICTS: Mapping[str, str] = {"useful": "Useful", "noise": "Noise"}


class IDS:
    """The ids of the tab that callbacks name."""

    views = ident(TAB, "views")
    bar = ident(TAB, "bar")
    counts = ident(TAB, "counts")
    text = ident(TAB, "text")
    source = ident(TAB, "source")
    metric = ident(TAB, "metric")
    owner = ident(TAB, "owner")
    age = ident(TAB, "age")
    sort = ident(TAB, "sort")
    bulk = ident(TAB, "bulk")
    chosen = ident(TAB, "chosen")
    all = ident(TAB, "pick-all")
    list = ident(TAB, "list")
    rules = ident(TAB, "rules")
    goto = ident(TAB, "goto")
    tick = ident(TAB, "tick")
    token = ident(TAB, "token")
    changed = ident(TAB, "changed")
    head = ident(TAB, "head")
    facts = ident(TAB, "facts")
    history = ident(TAB, "history")
    evidence = ident(TAB, "evidence")
    calendar = ident(TAB, "calendar")
    by_rule = ident(TAB, "by-rule")
    by_subject = ident(TAB, "by-subject")
    dialog = ident(TAB, "dialog")
    title = ident(TAB, "dialog-title")
    asked = ident(TAB, "dialog-asked")
    about = ident(TAB, "dialog-about")
    owner_box = ident(TAB, "to-box")
    to = ident(TAB, "to")
    until_box = ident(TAB, "until-box")
    until = ident(TAB, "until")
    verdict_box = ident(TAB, "verdict-box")
    verdict = ident(TAB, "verdict")
    words_box = ident(TAB, "words-box")
    words_label = ident(TAB, "words-label")
    words = ident(TAB, "words")
    message = ident(TAB, "message")
    cancel = ident(TAB, "cancel")
    confirm = ident(TAB, "confirm")


def pick_id(alert: object) -> dict[str, object]:
    """The id of a row's box."""
    return {"role": ident(TAB, "pick"), "alert": alert}


def act_id(action: object, on: object) -> dict[str, object]:
    """The id of a button that does something; ``on``: ``one`` or ``chosen``."""
    return {"role": ident(TAB, "act"), "action": action, "on": on}


def state_chip(alert: Alert, now: datetime) -> Component:
    """Where an alert stands, as shape and words in one component."""
    state = state_of(alert, now)
    shape, words = STATES[state]
    return html.Span(words, className=f"alert-state alert-state-{state} bi bi-{shape}")


def severity_chip(severity: str) -> Component:
    """``parts.severity_chip`` as a single component."""
    kind, word = parts.SEVERITY[severity]
    return html.Span(word, className=f"chip chip-{kind} bi bi-{parts.CHIP_ICONS[kind]}")


def subject_link(source: str, subject: str, name: str) -> Component:
    """The page of what an alert is about."""
    if source == "model":
        target = links.href(
            "/monitoring/performance", links.build_search({"model": subject})
        )
    else:
        target = links.href(f"/heaters/{subject}/operations")
    return dcc.Link(name or subject, href=target, className="subject-link")


def alert_href(alert_id: int, search: str | None = None) -> str:
    """The page of one alert; the list it was opened from stays in the address."""
    return links.href(PATH, links.with_query(search, alert=str(alert_id), view=None))


def list_href(**query: str | None) -> str:
    """The list with these filters and no others."""
    return links.href(PATH, links.build_search(query))


def lasting(alert: Alert, now: datetime) -> str:
    """For how long the condition held: ``3 h 12 min``, under a minute in seconds."""
    held = ((ended_at(alert) or now) - alert.started_at).total_seconds()
    span = text.duration(held if held < 60 else 60 * round(held / 60))
    return span.replace(" ", text.NO_BREAK)


def metric_name(key: str) -> str:
    """A metric as people read it; an expression as it is."""
    known = ALERT_METRICS.get(key)
    return known.label if known else key


def shown_unit(metric: str, prefs: Preferences, stored: str = "") -> str:
    """The unit of a metric for this reader."""
    known = ALERT_METRICS.get(metric)
    if known is None:
        return stored
    return unit(known.kind, prefs) if known.kind else known.unit


def shown(metric: str, value: float | None, prefs: Preferences) -> float | None:
    """A stored value in the reader's unit."""
    known = ALERT_METRICS.get(metric)
    if value is None or known is None or not known.kind:
        return value
    return convert(value, known.kind, prefs)


def amount(
    metric: str, value: float | None, prefs: Preferences, stored: str = ""
) -> str:
    """A stored value with its unit: ``78.5 °C``."""
    if value is None:
        return text.NO_DATA
    words = text.number(shown(metric, value, prefs), 4)
    if "." in words:
        words = words.rstrip("0").rstrip(".")
    known = shown_unit(metric, prefs, stored)
    return f"{words}{text.NO_BREAK}{known}" if known else words
