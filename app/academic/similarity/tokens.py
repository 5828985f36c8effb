"""Source text as a stream of normalised tokens: what stays when names and layout change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    is_token_subtype,
)
from pygments.util import ClassNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pygments.lexer import Lexer
    from pygments.token import _TokenType

MAX_FILE_CHARACTERS: Final = 200_000
MAX_LINE_CHARACTERS: Final = 4_000  # longer lines are data or an attack: no lexer's regex sees them
MAX_TOKENS: Final = 50_000  # per file

# Formatters and taste add and drop these; the structure is the same without them.
_LAYOUT: Final = frozenset("{};,")
_KEPT: Final = (Keyword, Name.Builtin, Operator.Word)  # what no renaming changes
_PLAIN = re.compile(r"[^\W\d]\w*|\d[\w.]*|[^\w\s]")
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: what it is, what it looked like, and the line it stands on (from 1)."""

    form: str
    text: str
    line: int


def decode(content: bytes) -> str:
    """Text of a file as far as it is compared; empty for what is not text."""
    if b"\0" in content:
        return ""
    text = content[: MAX_FILE_CHARACTERS * 4].decode("utf-8-sig", "replace")
    return text[:MAX_FILE_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")


def code_tokens(name: str, text: str) -> list[Token]:
    """Tokens of a program in whatever language its file name says."""
    lexer = _lexer(name) if _is_tame(text) else None
    if lexer is None:
        return list(islice(_plain(text), MAX_TOKENS))
    raw = lexer.get_tokens(text)
    return list(islice(_normalised(raw), MAX_TOKENS))


def word_tokens(text: str) -> list[Token]:
    """Words of a prose text, without case and punctuation."""
    found = (
        Token(word.group().lower(), word.group(), number)
        for number, line in enumerate(text.split("\n"), start=1)
        for word in _WORD.finditer(line)
    )
    return list(islice(found, MAX_TOKENS))


def character_tokens(text: str) -> tuple[str, Sequence[int]]:
    """All characters that are no white space, and the line of each."""
    characters: list[str] = []
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        solid = "".join(line.split())
        characters.append(solid)
        lines.extend([number] * len(solid))
    return "".join(characters), lines


def _is_tame(text: str) -> bool:
    return all(len(line) <= MAX_LINE_CHARACTERS for line in text.split("\n"))


def _lexer(name: str) -> Lexer | None:
    """Find the lexer by the ending, else by the whole name; asking Pygments costs milliseconds."""
    plain = name.rpartition("/")[2]
    by_ending = _lexer_for(f"a.{plain.rpartition('.')[2]}") if "." in plain else None
    return by_ending or _lexer_for(plain)


@lru_cache(maxsize=64)
def _lexer_for(name: str) -> Lexer | None:
    try:
        lexer = get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    return None if isinstance(lexer, TextLexer) else lexer


def _normalised(raw: Iterable[tuple[_TokenType, str]]) -> Iterator[Token]:
    line = 1
    was_string = False
    known: dict[tuple[_TokenType, str], tuple[tuple[str, str], ...]] = {}
    for piece in raw:
        forms = known.get(piece)
        if forms is None:
            forms = known[piece] = tuple(_forms(*piece))
        if forms:
            is_string = forms[0][0] == "S" and len(forms) == 1
            if not (is_string and was_string):
                for form, part in forms:
                    yield Token(form, part, line)
            was_string = is_string
        else:
            was_string = False
        if "\n" in piece[1]:
            line += piece[1].count("\n")


def _forms(kind: _TokenType, text: str) -> Iterator[tuple[str, str]]:
    """Normal form and text of each token that one token of a lexer stands for."""
    stripped = text.strip()
    if not stripped or _is_silent(kind):
        return
    if is_token_subtype(kind, String):
        yield "S", stripped
    elif is_token_subtype(kind, Number):
        yield "N", stripped
    elif any(is_token_subtype(kind, kept) for kept in _KEPT):
        yield stripped, stripped
    elif is_token_subtype(kind, Operator) or is_token_subtype(kind, Punctuation):
        yield from ((mark, mark) for mark in stripped if mark not in _LAYOUT and not mark.isspace())
    elif is_token_subtype(kind, Name):
        yield "V", stripped
    else:
        yield from ((_plain_form(word), word) for word in _PLAIN.findall(stripped) if word not in _LAYOUT)


def _is_silent(kind: _TokenType) -> bool:
    """Comments and docstrings say nothing about structure; what the preprocessor reads does."""
    is_comment = is_token_subtype(kind, Comment) and not is_token_subtype(kind, Comment.Preproc)
    return is_comment or is_token_subtype(kind, String.Doc)


def _plain(text: str) -> Iterator[Token]:
    """Tokens of a text in a language nobody knows."""
    for number, line in enumerate(text.split("\n"), start=1):
        for word in _PLAIN.findall(line):
            if word not in _LAYOUT:
                yield Token(_plain_form(word), word, number)


def _plain_form(word: str) -> str:
    if word[0].isdigit():
        return "N"
    return "V" if word[0].isalpha() or word[0] == "_" else word
