"""Tables for spreadsheets."""

from __future__ import annotations

import pytest

from app.academic.downloads import safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1"])
def test_no_cell_is_a_formula(text: str) -> None:
    """What a spreadsheet would compute is made text, full-width signs included."""
    assert f"'{text}" == safe_cell(text)


@pytest.mark.parametrize(("value", "cell"), [("Ada", "Ada"), ("", ""), (None, ""), (-5, -5), (4.5, 4.5)])
def test_other_cells_stay_what_they_are(value: object, cell: object) -> None:
    """Numbers stay numbers, and nothing is an empty cell."""
    assert cell == safe_cell(value)
