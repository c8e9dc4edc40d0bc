"""The words in which alerts are told: mail as text and HTML, webhooks as JSON."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from data.alert_records import Alert, AlertEvent
from services.alert_metrics import ALERT_METRICS
from services.outgoing import line

NAME_LENGTH = 200
TEXT_LENGTH = 2_000
MOST_TOLD = 100
MOST_BLOCKS = 20
"""Slack refuses more than 50 blocks; the rest is counted."""
COLOURS: Mapping[str, str] = {
    "critical": "#b3261e", "high": "#c4561a", "medium": "#8a6d00", "low": "#33658a",
}  # fmt: skip
OVER = "#2e7d32"
WORDS: Mapping[str, str] = {
    "activated": "raised",
    "severity": "now more severe",
    "cleared": "cleared by itself",
    "resolved": "resolved",
    "over": "raised and over again",
    "test": "test",
}
"""``over``: raised and ended before anybody was told, told in one message."""

Told = Mapping[str, Any]
"""One thing to be told, as plain values: what ``told`` makes."""


def told(alert: Alert, event: AlertEvent, kind: str) -> dict[str, Any]:
    """What is told of an event, as it is kept in the outbox."""
    return {
        "kind": kind,
        "alert_id": alert.id,
        "event_id": event.id,
        "at": _iso(event.at),
        "by": event.by,
        "note": line(event.text, TEXT_LENGTH),
        "severity": alert.severity,
        "source": alert.source,
        "subject": line(alert.subject, NAME_LENGTH),
        "subject_name": line(alert.subject_name, NAME_LENGTH),
        "rule": line(alert.rule_name, NAME_LENGTH),
        "metric": line(alert.metric, NAME_LENGTH),
        "measured": _measured(alert),
        "value": _finite(alert.value),
        "message": line(alert.message, TEXT_LENGTH),
        "action": line(alert.action, TEXT_LENGTH),
        "started_at": _iso(alert.started_at),
        "raised_at": _iso(alert.raised_at),
        "activations": alert.activations,
    }


def _measured(alert: Alert) -> str:
    """The value as people read it, in the stored unit: ``Tank temperature: 59 °C``."""
    known = ALERT_METRICS.get(alert.metric)
    if known is None or alert.value is None or not math.isfinite(alert.value):
        return ""
    return f"{known.label}: {alert.value:.6g} {known.unit}".strip()


def trial(route: str, now: datetime) -> dict[str, Any]:
    """What the test button sends."""
    return {
        "kind": "test", "severity": "low", "at": _iso(now), "subject_name": "IoTSphere",
        "message": f"This is a test of the route {line(route, NAME_LENGTH)}.",
    }  # fmt: skip


def subject(items: Sequence[Told]) -> str:
    """The subject of a mail, in one line."""
    if len(items) == 1:
        return _headline(items[0])
    worst = next((s for s in COLOURS if any(i["severity"] == s for i in items)), "")
    return f"[{worst.upper()}] {len(items)} messages of alerts"


def text(items: Sequence[Told], address: str | None) -> str:
    """The plain text of a mail."""
    found = ["\n".join(_lines(item, address)) for item in items[:MOST_TOLD]]
    return "\n\n".join([*found, *_more(items, MOST_TOLD)]) + "\n"


def page(items: Sequence[Told], address: str | None) -> str:
    """The same as HTML, every text escaped; nothing in it is fetched."""
    parts = ['<!DOCTYPE html><html lang="en"><body style="font-family:sans-serif">']
    for item in items[:MOST_TOLD]:
        head, *rest = (html.escape(part) for part in _lines(item, None))
        parts.append(
            f'<h3 dir="auto" style="margin:1em 0 .2em;padding-left:.5em;'
            f'border-left:4px solid {_colour(item)}">{head}</h3>'
        )
        parts += [f'<p dir="auto" style="margin:.2em 0">{row}</p>' for row in rest]
        if link := _link(item, address):
            parts.append(f'<p><a href="{html.escape(link)}">Open the alert</a></p>')
    parts += [f"<p>{html.escape(words)}</p>" for words in _more(items, MOST_TOLD)]
    return "\n".join([*parts, "</body></html>\n"])


def payload(items: Sequence[Told], address: str | None) -> dict[str, Any]:
    """The body of a webhook: what Slack shows, and our own values beside it."""
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": _mrkdwn(item, address)}}
        for item in items[:MOST_BLOCKS]
    ]
    blocks += [
        {"type": "section", "text": {"type": "mrkdwn", "text": words}}
        for words in _more(items, MOST_BLOCKS)
    ]
    own = [{**item, "url": _link(item, address)} for item in items[:MOST_TOLD]]
    return {
        "text": slack_escaped(subject(items)),
        "blocks": blocks,
        "iotsphere": {"version": 1, "events": own, "count": len(items)},
    }


def slack_escaped(words: str) -> str:
    """Text in which Slack finds no link, mention or channel."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _headline(item: Told) -> str:
    name, what = item.get("subject_name", ""), item.get("rule", "")
    severity = str(item["severity"]).upper()
    words = WORDS[item["kind"]]
    if item["kind"] == "activated" and item.get("activations", 1) > 1:
        words = f"raised again ({item['activations']} times)"
    said = f"{what} {words}" if what else words
    return f"[{severity}] {name}: {said}"


def _lines(item: Told, address: str | None) -> list[str]:
    rows = [_headline(item), item.get("message", "")]
    if item.get("action"):
        rows.append(f"What to do: {item['action']}")
    if item.get("value") is not None:
        rows.append(item.get("measured") or f"{item['metric']}: {item['value']:.6g}")
    rows.append(f"{_when(item)}")
    if item["kind"] == "resolved":
        note = f": {item['note']}" if item.get("note") else ""
        rows.append(f"Resolved by {item['by']}{note}")
    return [row for row in (*rows, _link(item, address)) if row]


def _when(item: Told) -> str:
    if item["kind"] == "test":
        return f"Sent {_moment(item['at'])}"
    begun = f"Raised {_moment(item['raised_at'])}"
    if item["kind"] == "activated":
        return begun
    ended = {"severity": "changed", "resolved": "resolved"}.get(item["kind"], "over")
    return f"{begun}, {ended} {_moment(item['at'])}"


def _mrkdwn(item: Told, address: str | None) -> str:
    head, *rest = (slack_escaped(part) for part in _lines(item, None))
    rows = [f"*{head.replace('*', '')}*", *rest]
    if link := _link(item, address):
        rows.append(f"<{link}|Open the alert>")
    # Slack refuses a longer text of a section.
    return "\n".join(rows)[:2_900]


def _link(item: Told, address: str | None) -> str | None:
    if not address or "alert_id" not in item:
        return None
    return f"{address.rstrip('/')}/monitoring/alerts?alert={item['alert_id']}"


def _colour(item: Told) -> str:
    if item["kind"] in {"cleared", "resolved", "over"}:
        return OVER
    return COLOURS[item["severity"]]


def _more(items: Sequence[Told], most: int) -> list[str]:
    left = len(items) - most
    return [f"and {left} more"] if left > 0 else []


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _moment(written: str) -> str:
    return f"{datetime.fromisoformat(written):%Y-%m-%d %H:%M:%S} UTC"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
