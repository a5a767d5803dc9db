"""Reports on paper: headings, words, tables, plots and a place to sign, as PDF.

Whatever is given is text: it is escaped, and what cannot be printed becomes a replacement mark, so
a file name or label that holds markup is shown as it stands and can load nothing. The type face is
DejaVu Sans (free: Bitstream Vera and public domain), of which what is used is embedded; it holds
the Latin, Greek and Cyrillic alphabets with their accents.
"""

import io
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.shapes import Drawing, String
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from digitizer.errors import MissingService

__all__ = ["Paper"]

_FOLDERS = (
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu-sans-fonts"),
    Path("/usr/share/fonts/TTF"),
    Path("/usr/local/share/fonts"),
)
_PLAIN, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_INK, _SOFT, _RULE = HexColor("#1a1a1a"), HexColor("#555555"), HexColor("#bbbbbb")
_BAND, _BAR = HexColor("#f2f2f2"), HexColor("#2b5d8a")
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_LONGEST = 400
"""Characters of one cell or line; what is longer is cut, so that no cell outgrows a page."""


@cache
def _register_faces() -> None:
    """Make the type face known, once.

    Raises
    ------
    MissingService
        It is not installed.
    """
    for name in (_PLAIN, _BOLD):
        found = next(
            (one / f"{name}.ttf" for one in _FOLDERS if (one / f"{name}.ttf").is_file()), ""
        )
        try:
            pdfmetrics.registerFont(TTFont(name, str(found)))
        except (TTFError, OSError):
            raise MissingService(
                f"The type face {name} is not installed, and reports are printed in it.",
                remedy="Install it: apt-get install fonts-dejavu-core",
            ) from None


def _style(size: float, *, bold: bool = False, color: Color = _INK, **more: Any) -> ParagraphStyle:
    face = _BOLD if bold else _PLAIN
    return ParagraphStyle(
        f"{face}-{size}", fontName=face, fontSize=size, leading=size * 1.35, textColor=color, **more
    )


_TITLE = _style(18, bold=True, spaceAfter=2 * mm)
_HEADING = _style(12, bold=True, spaceBefore=6 * mm, spaceAfter=2 * mm, keepWithNext=1)
_TEXT = _style(9.5, spaceAfter=1.5 * mm)
_SMALL = _style(8, color=_SOFT)
_CELL, _HEAD = _style(8, splitLongWords=1), _style(8, bold=True)
_NUMBER = _style(8, alignment=TA_RIGHT)
_HEAD_NUMBER = _style(8, bold=True, alignment=TA_RIGHT)


def plain(text: object) -> str:
    """Return text without what cannot be printed: controls, unpaired halves, marks of direction."""
    shown = "".join(
        " " if char in "\t\r\n" else "\N{REPLACEMENT CHARACTER}" if _unprintable(char) else char
        for char in str(text)
    )
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _unprintable(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _paragraph(text: object, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(plain(text)), style)


class _Numbered(Canvas):  # type: ignore[misc]  # reportlab tells no types
    """A canvas that knows at the end how many pages there are, and writes it on each."""

    def __init__(self, *given: Any, foot: str = "", **named: Any) -> None:
        super().__init__(*given, **named)
        self._foot = foot
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - the name is reportlab's
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        pages, foot = self._pages, self._foot
        for number, page in enumerate(pages, 1):
            self.__dict__.update(page)
            self.setFont(_PLAIN, 7.5)
            self.setFillColor(_SOFT)
            self.drawString(_MARGIN, 10 * mm, foot)
            self.drawRightString(A4[0] - _MARGIN, 10 * mm, f"Page {number} of {len(pages)}")
            Canvas.showPage(self)
        Canvas.save(self)


class Paper:
    """One report, written from top to bottom, on A4.

    Parameters
    ----------
    title : str
    made_at : datetime
        Aware; written in local time on every page.
    by : str
        Who asked for it; written on every page.

    Raises
    ------
    MissingService
        The type face is not installed.
    """

    def __init__(self, title: str, *, made_at: datetime, by: str) -> None:
        _register_faces()
        self._title = plain(title)
        when = made_at.astimezone().strftime("%Y-%m-%d %H:%M %Z")
        self._foot = plain(f"{self._title[:60]} · printed {when} by {by}")
        self._parts: list[Flowable] = [_paragraph(title, _TITLE)]

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(Paragraph(escape(plain(text)), _HEADING))

    def text(self, text: str, *, small: bool = False) -> None:
        """Write a paragraph."""
        self._parts.append(_paragraph(text, _SMALL if small else _TEXT))

    def table(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        widths: Sequence[float] = (),
        numbers: Sequence[int] = (),
    ) -> None:
        """Write a table; its header stands on each of its pages.

        Parameters
        ----------
        header : sequence of str
        rows : iterable of sequence
            One value a column each.
        widths : sequence of float
            Shares of the columns; even ones by default.
        numbers : sequence of int
            Columns, from 0, that are set to the right.
        """
        shares = widths or [1.0] * len(header)
        columns = [_WIDTH * share / sum(shares) for share in shares]
        right = frozenset(numbers)
        cells = [
            [_paragraph(one, _HEAD_NUMBER if n in right else _HEAD) for n, one in enumerate(header)]
        ]
        cells += [
            [_paragraph(one, _NUMBER if n in right else _CELL) for n, one in enumerate(row)]
            for row in rows
        ]
        table = Table(cells, colWidths=columns, repeatRows=1, spaceAfter=2 * mm)
        table.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("BACKGROUND", (0, 0), (-1, 0), _BAND),
                    ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
                ]
            )
        )
        self._parts.append(table)

    def bars(self, values: Sequence[float], labels: Sequence[str], caption: str) -> None:
        """Draw a bar for each value, from zero up; labels below, the caption under the plot."""
        height = 45 * mm
        drawing = Drawing(_WIDTH, height + 8 * mm)
        chart = VerticalBarChart()
        chart.x, chart.y, chart.width, chart.height = (
            12 * mm,
            10 * mm,
            _WIDTH - 14 * mm,
            height - 6 * mm,
        )
        chart.data = [tuple(values) or (0.0,)]
        chart.valueAxis.valueMin = 0
        chart.valueAxis.valueMax = max(max(values, default=0), 1)
        chart.categoryAxis.categoryNames = [plain(one)[:20] for one in labels] or [""]
        for axis in (chart.valueAxis, chart.categoryAxis):
            axis.labels.fontName, axis.labels.fontSize = _PLAIN, 6.5
            axis.strokeColor = _RULE
        chart.bars[0].fillColor = _BAR
        chart.bars[0].strokeColor = None
        drawing.add(chart)
        drawing.add(
            String(0, 0, plain(caption)[:140], fontName=_PLAIN, fontSize=8, fillColor=_SOFT)
        )
        self._parts += [drawing, Spacer(0, 2 * mm)]

    def signature(self, statement: str, places: Sequence[str]) -> None:
        """Leave a line to be signed on for each of the places, with the date, under a statement."""
        cells = [[_paragraph(f"{one}", _SMALL), _paragraph("Date", _SMALL)] for one in places]
        signed = Table(
            cells, colWidths=[_WIDTH * 0.7, _WIDTH * 0.3], rowHeights=[16 * mm] * len(cells)
        )
        signed.setStyle(
            TableStyle(
                [
                    ("LINEABOVE", (0, 0), (-1, -1), 0.6, _INK),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                ]
            )
        )
        parts = [_paragraph(statement, _TEXT), Spacer(0, 14 * mm), signed]
        self._parts.append(KeepTogether(parts))

    def pdf(self) -> bytes:
        """Return the report; call it once, at the end."""
        out = io.BytesIO()
        document = SimpleDocTemplate(
            out,
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_MARGIN,
            title=self._title,
            author="digitizer",
        )
        foot = self._foot
        document.build(self._parts, canvasmaker=lambda *a, **k: _Numbered(*a, foot=foot, **k))
        return out.getvalue()
