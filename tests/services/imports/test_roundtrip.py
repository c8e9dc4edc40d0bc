"""Any table written in any style reads back as the same readings."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from data.records import MODES
from services.imports import ImportOptions
from services.imports.converting import convert
from services.imports.names import MISSING_WORDS
from services.imports.planning import make_plan
from services.imports.reading import chunks
from services.imports.values import DeviceIds, Dropped

START = datetime(2026, 1, 13)  # noqa: DTZ001 - wall time; a day that settles the order
TIMES = {
    "iso": "%Y-%m-%dT%H:%M:%S",
    "plain": "%Y-%m-%d %H:%M:%S",
    "german": "%d.%m.%Y %H:%M:%S",
    "american": "%m/%d/%Y %I:%M:%S %p",
    "british": "%d/%m/%Y %H:%M:%S",
}
HEADERS = {
    "temperature_c": (
        ("Temp", 1, 0),
        ("tank_temp_f", 1.8, 32),
        ("T_tank [K]", 1, 273.15),
    ),
    "pressure_bar": (("pressure", 1, 0), ("Pressure (psi)", 14.503773773, 0)),
    "power_w": (("Power [W]", 1, 0), ("power_kw", 0.001, 0)),
}
number = st.one_of(st.none(), st.integers(-2_000, 9_000).map(lambda n: n / 100))
row = st.fixed_dictionaries(
    {
        "device_id": st.sampled_from(["wh-1", "wh_2", "7"]),
        "ts": st.integers(0, 860_000).map(lambda s: START + timedelta(seconds=s)),
        "temperature_c": st.integers(100, 9_000).map(lambda n: n / 100),
        "pressure_bar": number,
        "power_w": number,
        "mode": st.one_of(st.none(), st.sampled_from(MODES)),
        "heating": st.one_of(st.none(), st.booleans()),
    }
)
style = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "decimal": st.sampled_from(".,"),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16"]),
        "time": st.sampled_from(list(TIMES)),
        "zone": st.sampled_from([None, "Asia/Kolkata", "America/Bogota"]),
        "missing": st.sampled_from(sorted(MISSING_WORDS)),
        "end": st.sampled_from(["\n", "\r\n"]),
        "words": st.sampled_from([("1", "0"), ("on", "OFF"), ("True", "False")]),
        **{name: st.sampled_from(options) for name, options in HEADERS.items()},
    }
)


def written(rows: list[dict[str, object]], how: dict[str, object]) -> bytes:
    """The rows as a file in one style."""

    def cell(row: dict[str, object], name: str) -> str:
        value = row[name]
        if value is None:
            return str(how["missing"])
        if name == "ts":
            return value.strftime(TIMES[how["time"]])
        if name in HEADERS:
            _, factor, zero = how[name]
            return f"{value * factor + zero:.6f}".replace(".", how["decimal"])
        return how["words"][not value] if name == "heating" else str(value)

    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=how["delimiter"], lineterminator=how["end"])
    writer.writerow([how[n][0] if n in HEADERS else n for n in rows[0]])
    writer.writerows([cell(row, name) for name in rows[0]] for row in rows)
    return out.getvalue().encode(how["encoding"])


@settings(max_examples=150, deadline=None)
@given(st.lists(row, min_size=1, max_size=30), style)
def test_table_in_any_style_reads_back_the_same(
    rows: list[dict[str, object]], how: dict[str, object]
) -> None:
    """Delimiter, decimal mark, encoding, units, zone and words change no reading."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(written(rows, how))
        plan = make_plan([path], ImportOptions(tz=how["zone"]))
        (layout,) = plan.layouts
        assert plan.problems == ()
        (chunk,) = chunks(path, layout.dialect, lambda _: None)
        found = convert(chunk, layout, path, DeviceIds(), Dropped())

    frame = pd.DataFrame(rows)
    zone = ZoneInfo(how["zone"] or "UTC")
    utc = frame["ts"].dt.tz_localize(zone).dt.tz_convert("UTC").dt.tz_localize(None)
    frame["ts"] = utc.astype("datetime64[us]")
    assert found.rejected == []
    assert found.lines.tolist() == list(range(2, len(rows) + 2))
    for name in frame.columns:
        want = frame[name].astype(object).where(frame[name].notna(), None).tolist()
        have = found.frame[name].astype(object).where(found.frame[name].notna(), None)
        if name in HEADERS:
            want = [None if v is None else round(v, 3) for v in want]
            have = have.map(lambda v: None if v is None else round(v, 3))
        assert have.astype(object).where(have.notna(), None).tolist() == want
