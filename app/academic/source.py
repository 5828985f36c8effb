"""A student's source as a page shows it: highlighted, cut, nothing in it hidden."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer, TextLexer

# Beyond this a page would freeze; the download has all of it.
SHOWN_CHARACTERS: Final = 65_536
SHOWN_LINE: Final = 2_000

# Controls and marks that make a terminal or a reader see other text than Python does.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def source_lines(content: bytes, name: str = "") -> tuple[list[Markup], bool]:
    """The lines of a file as highlighted markup, and whether something was left out."""
    text = content.decode("utf-8-sig", "backslashreplace").replace("\r\n", "\n").replace("\r", "\n")
    shown = "\n".join(_cut_line(line) for line in text[:SHOWN_CHARACTERS].split("\n"))
    visible = _HIDDEN.sub(_name_of, shown.replace("\x0c", " "))
    formatter = HtmlFormatter(nowrap=True, classprefix="hl-")
    lexer = PythonLexer if name.endswith(".py") or "." not in name else TextLexer
    marked = highlight(visible, lexer(stripnl=False, ensurenl=True), formatter)
    lines = marked.removesuffix("\n").split("\n")
    # Pygments escapes the text and closes its spans at every line's end.
    return [Markup(line) for line in lines], shown != text  # noqa: S704


def _cut_line(line: str) -> str:
    return line if len(line) <= SHOWN_LINE else f"{line[:SHOWN_LINE]} [... {len(line) - SHOWN_LINE} more]"


def _name_of(match: re.Match[str]) -> str:
    character = match.group()
    return f"[U+{ord(character):04X} {unicodedata.name(character, 'control')}]"
