"""The results as pictures: bars in SVG, which follow the reader's light or dark scheme."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.results import Figure, Row

WIDTH: Final = 760
LABELS: Final = 290
BAR: Final = 14
STEP: Final = 24
TITLE: Final = 40
GAP: Final = 18
# The longest bar leaves room for its number.
LONGEST: Final = WIDTH - LABELS - 100

STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.unit { fill: #59636e }
.ours { fill: #0969da }
.peer { fill: #afb8c1 }
.range { stroke: #24292f; stroke-width: 1.5; opacity: .55 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .unit { fill: #9198a1 }
  .ours { fill: #4493f8 }
  .peer { fill: #656c76 }
  .range { stroke: #e6edf3 }
}
"""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One measure of a figure, as bars."""

    figure: Figure
    measure: str

    @property
    def rows(self) -> list[Row]:
        """The rows that have this measure, the best first."""
        found = [row for row in self.figure.rows if row.samples.get(self.measure)]
        return sorted(found, key=lambda row: row.median(self.measure) or 0.0, reverse=self.figure.is_rate)

    @property
    def height(self) -> int:
        """How tall it is."""
        return TITLE + STEP * len(self.rows) + GAP


def draw(panels: Sequence[Panel], title: str) -> str:
    """Draw panels one under the other; those without rows are left out."""
    shown = [panel for panel in panels if panel.rows]
    height = sum(panel.height for panel in shown)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
    ]
    top = 0
    for panel in shown:
        parts += _panel(panel, top)
        top += panel.height
    return "\n".join([*parts, "</svg>", ""])


def number(value: float) -> str:
    """Write a number with as many digits as it is worth."""
    if value >= 100:  # noqa: PLR2004 - three digits and more need no fraction
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004


def _panel(panel: Panel, top: int) -> list[str]:
    most = max(max(row.samples[panel.measure]) for row in panel.rows) or 1.0
    better = "more is better" if panel.figure.is_rate else "less is better"
    head = (
        f'<text class="title" x="0" y="{top + 18}">{escape(panel.figure.title)}'
        f'<tspan class="unit" dx="10" font-size="12" font-weight="400">'
        f"{escape(panel.measure)}; {better}</tspan></text>"
    )
    bars = [_bar(row, panel.measure, most, top + TITLE + STEP * at) for at, row in enumerate(panel.rows)]
    return [head, *bars]


def _bar(row: Row, measure: str, most: float, y: int) -> str:
    samples = row.samples[measure]
    scale = LONGEST / most
    length = max(1.0, (row.median(measure) or 0.0) * scale)
    low, high = (LABELS + each * scale for each in (min(samples), max(samples)))
    shown = number(row.median(measure) or 0.0)
    middle, baseline = y + BAR / 2, y + BAR - 3
    return (
        f'<text x="{LABELS - 8}" y="{baseline}" text-anchor="end">{escape(row.name)}</text>'
        f'<rect class="{"ours" if row.is_ours else "peer"}" x="{LABELS}" y="{y}" width="{length:.1f}"'
        f' height="{BAR}" rx="2"/>'
        f'<line class="range" x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}"/>'
        f'<text x="{max(high, LABELS + length) + 6:.1f}" y="{baseline}">{shown}</text>'
    )
