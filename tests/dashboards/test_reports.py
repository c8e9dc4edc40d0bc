"""The Reports tab as components: form, list, schedules and preview."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from dash.development.base_component import Component

from dashboards import report_form, report_preview, report_schedules
from dashboards.figures.report import figure, summary
from dashboards.monitoring import reports as tab
from dashboards.report_runs import IDLE_MS, OPEN_MS, interval, size_words
from dashboards.report_schedule_form import FIELDS, range_options, values
from data.report_records import ReportRun, Schedule
from services.reports.compose import TEMPLATES
from services.reports.document import (
    BarChart,
    Column,
    Document,
    Figures,
    HeatChart,
    Limit,
    Line,
    LineChart,
    Section,
    Table,
    Text,
)
from services.reports.document import (
    Figure as KeyFigure,
)
from services.reports.runs import EXPIRED, RunsView
from services.reports.schedules import ScheduleView
from services.units import Preferences
from tests.conftest import NOW

PREFS = Preferences(time_zone="Europe/Berlin")
LIGHT = replace(PREFS, theme="light")
RUN = ReportRun(
    id="a" * 32, template="fleet", format="pdf",
    query={"from": "2026-03-01T00:00:00+00:00", "to": "2026-03-08T00:00:00+00:00"},
    asked_by="vera", asked_at=NOW,
)  # fmt: skip
DONE = replace(
    RUN, state="done", size_bytes=48_211, sha256="c0ffee" * 10 + "beef",
    file_name="fleet_2026-03-01_2026-03-07.pdf",
)  # fmt: skip
KEPT = Schedule(
    name="Week", enabled=True, owner="otto", revision=3, updated_by="otto",
    updated_at=NOW, next_at=NOW + timedelta(days=6), id=7,
    spec={"template": "fleet", "cron": "0 6 * * 1", "time_zone": "Europe/Berlin",
          "from": "now-1w/w", "to": "now/w", "formats": ["pdf", "csv"],
          "recipients": ["a@example.org", "b@example.org"]},
)  # fmt: skip
HOURS = tuple(NOW + timedelta(hours=h) for h in range(4))
LINES = LineChart(
    "t", "Temperature", "°C",
    (Line("Tank <b>", HOURS, (50.0, None, 52.0, 53.0), low=(49.0, None, 51.0, 52.0),
          high=(51.0, None, 53.0, 54.0)),
     Line("Target", HOURS, (55.0,) * 4, style="dashed")),
    (Limit("Alarm", 60.0),),
)  # fmt: skip
BARS = BarChart(
    "b", "Energy", "kWh", ("Mon", "Tue"), (("A", (1.0, None)), ("B", (2.0, 3.0)))
)
HEAT = HeatChart("h", "Drift", "×", ("w1", "w1"), ("f", "g"),
                 ((1.0, None), (4.0, 2.0)), frozenset({(1, 0)}))  # fmt: skip


def a_document(*blocks: Any) -> Document:
    """A document of one section."""
    section = Section("all", "Everything", blocks)
    return Document(
        "fleet", "The fleet", "Three heaters", NOW, "Europe/Berlin",
        (("From", "1 March"),), (section,), ("Counted in whole days.",),
    )  # fmt: skip


def a_view(*runs: ReportRun, more: bool = False) -> RunsView:
    """The list of some runs."""
    titles = {key: template.title for key, template in TEMPLATES.items()}
    return RunsView(NOW + timedelta(minutes=3), runs, more, titles, {7: "Week"})


def words_of(node: Any) -> str:
    """Every text of a component tree."""
    if isinstance(node, Component):
        return words_of(getattr(node, "children", None))
    if isinstance(node, list | tuple):
        return " ".join(words_of(child) for child in node)
    return "" if node is None else str(node)


def found(node: Any, kind: str) -> list[Component]:
    """The components of a type in a tree."""
    if isinstance(node, list | tuple):
        return [hit for child in node for hit in found(child, kind)]
    if not isinstance(node, Component):
        return []
    own = [node] if type(node).__name__ == kind else []
    return own + found(getattr(node, "children", None), kind)


def test_an_empty_list_says_what_to_do():
    """Without a report the card leads to the form."""
    assert "press Make PDF" in words_of(tab.body(a_view(), PREFS))


def test_a_done_report_has_its_link_size_and_checksum():
    """The link leads to the run's file; the whole checksum can be copied."""
    card = tab.body(a_view(DONE), PREFS)

    (link,) = found(card, "A")
    assert link.href == f"/api/v1/reports/{DONE.id}/file"
    assert link.download == DONE.file_name
    (copy,) = found(card, "Clipboard")
    assert copy.content == DONE.sha256
    text = words_of(card)
    for words in (
        "48.2\u00a0kB",
        "c0ffeec0…",
        "vera",
        "1 Mar 2026 to 8 Mar 2026",
        "Done",
    ):
        assert words in text


def test_a_report_being_made_shows_how_far_it_is():
    """A bar with its share and the step; the list is looked at often meanwhile."""
    making = replace(RUN, state="running", progress=0.42, step="Drawing page 3")
    card = tab.body(a_view(making, DONE), PREFS)

    (bar,) = found(card, "Progress")
    assert bar.value == 42
    assert "Drawing page 3" in words_of(card)
    assert interval(a_view(making)) == OPEN_MS < interval(a_view(DONE)) == IDLE_MS


def test_a_failure_and_a_removed_file_are_said():
    """The reason of a failure is shown; an expired file has no link."""
    failed = replace(RUN, state="failed", reason="There is no model <b>x</b>.")
    gone = replace(DONE, removed_at=NOW, step=EXPIRED)
    card = tab.body(a_view(failed, gone), PREFS)

    assert "There is no model <b>x</b>." in words_of(card)
    assert "File removed" in words_of(card)
    assert found(card, "A") == []


def test_a_made_up_period_says_what_was_skipped():
    """The run of the latest missed period names how many were not made."""
    run = replace(DONE, schedule_id=7, query={**RUN.query, "skipped": 4})

    text = words_of(tab.body(a_view(run), PREFS))
    assert "4 earlier periods were missed" in text
    assert "Schedule Week" in text


def test_a_long_list_says_that_there_is_more():
    """Fifty rows and a word on the older ones; strange words do no harm."""
    strange = replace(RUN, template="\u202egnirts", asked_by="x" * 64, query={})
    card = tab.body(a_view(*[strange] * 50, more=True), PREFS)

    assert "The newest 50" in words_of(card)


def test_the_address_holds_the_form():
    """What is read from a written address is what was written."""
    form = report_form.Form(
        "heater", (), ("wh-1", "wh-2"), ("history",), "now-7d", "now"
    )
    search = report_form.written("?from=now-7d&to=now&model=old", form)

    assert report_form.read(search) == form
    assert "model=old" not in search
    assert report_form.read("?model=boiler").models == ("boiler",)


def test_a_form_keeps_only_what_its_template_takes():
    """Heaters do not follow into a report on models; all sections are none named."""
    template = TEMPLATES["performance"]
    every = tuple(key for key, _title in template.sections)
    form = report_form.Form("performance", ("m",), ("wh-1",), every, "now-7d", "now")

    fitted = report_form.fitting(form, template)
    assert (fitted.models, fitted.devices, fitted.sections) == (("m",), (), ())


def test_schedules_show_the_next_time_in_their_zone():
    """Name, when, next in the schedule's zone, last state, and to whom."""
    views = (
        ScheduleView(KEPT, DONE, "Every Monday at 06:00", "Europe/Berlin"),
        ScheduleView(replace(KEPT, enabled=False, next_at=None), None, "cron x", "UTC"),
    )
    card = report_schedules.schedules_card(views, {"fleet": "Fleet"}, Preferences())

    text = words_of(card)
    for words in ("Week", "Every Monday at 06:00", "16 Mar 2026, 13:00 CET", "Done",
                  "to 2 addresses", "PDF, CSV", "Off", "Switch on"):  # fmt: skip
        assert words in text
    assert "No schedule yet" in words_of(
        report_schedules.schedules_card((), {}, Preferences())
    )


def test_the_form_of_a_schedule_holds_what_it_says():
    """A preset is shown as one, other cron fields as cron, and ranges stay."""
    held = dict(zip(FIELDS, values(KEPT, PREFS), strict=True))
    assert held["reports-schedule-kind"] == "weekly"
    assert held["reports-schedule-range"] == "week"
    assert held["reports-schedule-recipients"] == "a@example.org\nb@example.org"

    other = replace(KEPT, spec={**KEPT.spec, "cron": "0 6 1 1 *", "from": "now-2y"})
    filled = values(other, PREFS)
    assert filled[2] == "cron"
    assert filled[1] in [option["value"] for option in range_options(str(filled[1]))]


def test_a_preview_has_figures_charts_and_the_first_rows():
    """Key figures, a chart and fifty rows with a word on the rest."""
    table = Table(
        "t", "Days", (Column("d", "Day"), Column("n", "Energy", "kWh", 1)),
        tuple((NOW, float(i)) for i in range(120)),
    )  # fmt: skip
    figures = Figures((KeyFigure("Heaters", 3), KeyFigure("Silent", 1, tone="watch")))
    shown = report_preview.preview(
        a_document(Text("All is well."), figures, table, LINES), PREFS
    )

    assert len(found(shown, "Tr")) == 51
    text = words_of(shown)
    for words in ("and 70 more", "Energy (kWh)", "10 Mar 2026, 13:00", "All is well.",
                  "Counted in whole days.", "Look"):  # fmt: skip
        assert words in text
    assert len(found(shown, "Graph")) == 1


def test_a_preview_draws_only_so_many_charts():
    """The thirty-first chart is told in words: the browser stays quick."""
    shown = report_preview.preview(a_document(*[LINES] * 31), PREFS)

    assert len(found(shown, "Graph")) == report_preview.MOST_CHARTS
    assert "In the file: Temperature" in words_of(shown)


@pytest.mark.parametrize("prefs", [PREFS, LIGHT])
def test_figures_hold_the_numbers_of_the_document(prefs):
    """Every value is in the figure as it is; gaps are gaps; names are escaped."""
    lines = figure(LINES, prefs)["data"]
    tank = next(t for t in lines if t.get("name") == "Tank &lt;b&gt;")
    assert tank["y"] == [50.0, None, 52.0, 53.0]
    assert tank["connectgaps"] is False
    assert tank["x0"] == "2026-03-10T13:00:00"
    assert figure(LINES, prefs)["layout"]["shapes"][0]["y0"] == 60.0

    bars = figure(BARS, prefs)
    assert [t["y"] for t in bars["data"]] == [[1.0, None], [2.0, 3.0]]
    heat, marks = figure(HEAT, prefs)["data"]
    assert heat["z"] == [[1.0, None], [4.0, 2.0]]
    assert heat["x"] == ["w1", "w1 (2)"]
    assert (marks["x"], marks["y"]) == (["w1"], ["g"])


def test_every_chart_has_its_words():
    """A sentence with the reach of the numbers, or that there are none."""
    assert "from 50 to 55 °C" in summary(LINES)
    assert "from 1 to 3 kWh" in summary(BARS)
    assert "from 1 to 4" in summary(HEAT)
    assert summary(replace(HEAT, values=((None,),))) == "Drift: no data."


def test_sizes_are_said_in_the_unit_people_read():
    """Bytes, kilobytes, megabytes; nothing is a dash."""
    told = [size_words(n) for n in (None, 12, 1_500, 2_500_000)]

    assert told == ["–", "12\u00a0B", "1.5\u00a0kB", "2.5\u00a0MB"]
