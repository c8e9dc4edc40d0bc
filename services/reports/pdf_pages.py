"""Pages of a report: A4, a footer with title, zone and page, and fixed dates.

How many pages there are is known at the end. What waits for it (the total, the pages in
the contents) is a small form on each page that is drawn once, so that nothing is set
twice.
"""

from __future__ import annotations

import calendar
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus.doctemplate import BaseDocTemplate, PageTemplate
from reportlab.platypus.frames import Frame

from services.reports import fonts, text
from services.reports.document import Document
from services.reports.look import (
    BOTTOM,
    HEIGHT,
    LEFT,
    PAGE,
    SMALL,
    SOFT,
    WIDTH,
    rgb,
)

# Text that a mail of 1985 would survive costs a quarter of the time and of the file.
rl_config.useA85 = 0

PRODUCT = "IoTSphere"
TOTAL = "total"
FOOT_Y = BOTTOM - 26


class Pages(Canvas):  # type: ignore[misc]
    """A canvas that fills in at the end what was not known before."""

    def __init__(self, *args: Any, made_at: datetime, **options: Any) -> None:
        # Without it every page names Helvetica, which is not embedded.
        options["initialFontName"] = fonts.glyph(" ")[0]
        super().__init__(*args, **options)
        self.late: dict[str, str] = {}
        """Name of a form -> its words."""
        stamp = self._doc._timeStamp
        moment = made_at.astimezone(UTC)
        stamp.t = calendar.timegm(moment.timetuple())
        stamp.lt = moment.timetuple()
        stamp.YMDhms = tuple(stamp.lt)[:6]
        stamp.dhh = stamp.dmm = 0

    def save(self) -> None:
        """Draw what is late, then write the file."""
        if self._code:
            self.showPage()
        self.late[TOTAL] = str(self.getPageNumber() - 1)
        for name, words in self.late.items():
            look = SMALL if name == TOTAL else SOFT.to("right")
            self.beginForm(name, -60, -6, 60, 16)
            text.draw(self, 0, 0, words, look)
            self.endForm()
        super().save()


def template(document: Document, out: io.BytesIO) -> BaseDocTemplate:
    """An empty document with the page of this report."""
    title = text.clean(document.title)
    made = BaseDocTemplate(
        out, pagesize=PAGE, title=title, author=PRODUCT, creator=PRODUCT,
        producer=PRODUCT, subject=text.clean(document.subtitle), keywords=None,
        lang="en", invariant=1, pageCompression=1,
    )  # fmt: skip
    frame = Frame(
        LEFT, BOTTOM, WIDTH, HEIGHT, id="page",
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    left = f"{title} · times in {text.clean(document.zone)}"

    def foot(pen: Any, _doc: Any) -> None:
        _foot(pen, left)

    made.addPageTemplates([PageTemplate(id="page", frames=[frame], onPage=foot)])
    return made


def _foot(pen: Any, left: str) -> None:
    pen.saveState()
    pen.setStrokeColorRGB(*rgb("line"))
    pen.setLineWidth(0.5)
    pen.line(LEFT, FOOT_Y + 12, LEFT + WIDTH, FOOT_Y + 12)
    text.draw(pen, LEFT, FOOT_Y, left, SMALL, WIDTH - 80)
    right = LEFT + WIDTH - text.measured("88", SMALL)
    words = replace(SMALL, align="right")
    text.draw_line(pen, right, FOOT_Y, f"Page {pen.getPageNumber()} of\u00a0", words)
    pen.saveState()
    pen.translate(right, FOOT_Y)
    pen.doForm(TOTAL)
    pen.restoreState()
    pen.restoreState()
