"""Plots as inline SVG: no library, no script, colours from the page's own style sheet (so dark and print follow it)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from eval.statistics import Interval

_Scale = Callable[[float], float]

_WIDTH = 420
_ROW = 37
_EDGE = 20  # room beside the scale for half a dot and half a number


@dataclass(frozen=True, slots=True)
class Row:
    """A named figure with its interval; `tone` is `better`, `worse` or nothing, and colours it."""

    label: str
    interval: Interval
    tone: str = ""


def interval_plot(rows: Sequence[Row], *, title: str, low: float = 0.0, high: float = 1.0, zero: bool = False) -> str:
    """A dot and its whisker below each name, on one scale; narrow enough to be read on a phone.

    Args:
        rows: from top to bottom.
        title: said to those who cannot see it.
        low: the scale's left end.
        high: its right end.
        zero: draw a line at 0, for differences.
    """
    height = _ROW * len(rows) + 30
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return _EDGE + (min(max(value, low), high) - low) / span * (_WIDTH - 2 * _EDGE)

    parts = [_grid(x, low, high, height - 24)]
    if zero:
        parts.append(f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="4" y2="{height - 24}"/>')
    for place, row in enumerate(rows):
        top = _ROW * place + 15
        y = top + 12
        figure = row.interval
        shown = f"{figure.value:+.3f}" if zero else f"{figure.value:.3f}"
        parts.append(
            f'<g class="{row.tone or "plain"}">'
            f"<title>{escape(row.label)}: {shown} [{figure.low:.3f}, {figure.high:.3f}], n {figure.count}</title>"
            f'<text x="0" y="{top}">{escape(row.label)}</text>'
            f'<text class="figure end" x="{_WIDTH}" y="{top}">{shown}'
            f'<tspan class="count" dx="6">n {figure.count}</tspan></text>'
            f'<line class="whisker" x1="{x(figure.low):.1f}" x2="{x(figure.high):.1f}" y1="{y}" y2="{y}"/>'
            f'<circle cx="{x(figure.value):.1f}" cy="{y}" r="4.5"/></g>'
        )
    return _svg("".join(parts), height, title)


def curve_plot(points: Sequence[tuple[float, float]], *, title: str, x_name: str, y_name: str) -> str:
    """A stepless curve over the unit square, its vertical scale ending above its highest point."""
    width, height, left, bottom, top = 420, 260, 62, 40, 14
    right = width - 16
    highest = max((y for _, y in points), default=0.0)
    ceiling = next(limit for limit in (0.1, 0.2, 0.25, 0.5, 1.0) if highest <= limit)

    def place(point: tuple[float, float]) -> str:
        across = left + point[0] * (right - left)
        return f"{across:.1f},{height - bottom - point[1] / ceiling * (height - bottom - top):.1f}"

    parts = []
    for step in range(5):
        share = step / 4
        y = height - bottom - share * (height - bottom - top)
        x = left + share * (right - left)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="figure end" x="{left - 8}" y="{y + 4:.1f}">{share * ceiling:.3g}</text>'
            f'<text class="figure middle" x="{x:.1f}" y="{height - bottom + 18}">{share:.3g}</text>'
        )
    parts.append(f'<polyline class="curve" points="{" ".join(place(point) for point in points)}"/>')
    if points:
        across, up = place(points[-1]).split(",")
        parts.append(f'<circle class="last" cx="{across}" cy="{up}" r="4"/>')
    parts.append(
        f'<text class="axis middle" x="{(left + right) / 2}" y="{height - 4}">{escape(x_name)}</text>'
        f'<text class="axis middle" transform="translate(12 {(height - bottom + top) / 2}) rotate(-90)">'
        f"{escape(y_name)}</text>"
    )
    return _svg("".join(parts), height, title, width=width)


def histogram_plot(values: Sequence[float], *, title: str, x_name: str, marks: Sequence[tuple[str, float]] = ()) -> str:
    """How often values fall into twenty bins of equal width, with named marks on the scale."""
    width, height, left, bottom, top = 420, 260, 48, 40, 40
    right = width - 16
    end = _round_up(max([*values, *(value for _, value in marks), 1e-9]))
    counts = [0] * 20
    for value in values:
        counts[min(19, int(value / end * 20))] += 1
    tallest = max(counts) or 1
    step = (right - left) / 20
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = height - bottom - share * (height - bottom - top)
        x = left + share * (right - left)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="figure end" x="{left - 8}" y="{y + 4:.1f}">{share * tallest:.3g}</text>'
            f'<text class="figure middle" x="{x:.1f}" y="{height - bottom + 18}">{share * end:.3g}</text>'
        )
    for bin_, count in enumerate(counts):
        tall = count / tallest * (height - bottom - top)
        if count:
            parts.append(
                f'<rect class="bar" x="{left + bin_ * step + 1:.1f}" y="{height - bottom - tall:.1f}" '
                f'width="{step - 2:.1f}" height="{tall:.1f}"><title>{count} between {bin_ * end / 20:.3g} and '
                f"{(bin_ + 1) * end / 20:.3g}</title></rect>"
            )
    for order, (name, value) in enumerate(marks):
        x = left + value / end * (right - left)
        anchor, y = "end" if value > 0.68 * end else "", 14 + 15 * order
        parts.append(
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 9}" y2="{height - bottom}"/>'
            f'<text class="figure {anchor}" x="{x + (-6 if anchor else 6):.1f}" y="{y}">'
            f"{escape(name)}</text>"
        )
    parts.append(f'<text class="axis middle" x="{(left + right) / 2}" y="{height - 4}">{escape(x_name)}</text>')
    return _svg("".join(parts), height, title, width=width)


def bar(value: float, *, low: float, high: float) -> str:
    """A small bar between 0 and 1 with its interval, for a table's cell."""

    def x(share: float) -> float:
        return 120 * min(max(share, 0.0), 1.0)

    return (
        '<svg class="bar" viewBox="0 0 120 12" width="120" height="12" aria-hidden="true">'
        '<rect class="track" width="120" height="6" y="3" rx="3"/>'
        f'<rect class="fill" width="{x(value):.1f}" height="6" y="3" rx="3"/>'
        f'<line class="whisker" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="6" y2="6"/></svg>'
    )


def _grid(x: _Scale, low: float, high: float, bottom: float) -> str:
    parts = []
    for step in range(5):
        value = low + (high - low) * step / 4
        parts.append(
            f'<line class="grid" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="4" y2="{bottom}"/>'
            f'<text class="figure middle" x="{x(value):.1f}" y="{bottom + 18}">{value:,.6g}</text>'
        )
    return "".join(parts)


def _svg(content: str, height: float, title: str, *, width: int = _WIDTH) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'style="max-width:{width}px">{content}</svg>'
    )


def _round_up(value: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten."""
    power = 10.0 ** int(f"{value:e}".split("e")[1])
    return next(power * step for step in (1, 2, 5, 10) if value <= power * step)
