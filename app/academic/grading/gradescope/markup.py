"""What an autograder wrote for people, as markup a page can carry: nothing in it acts."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

_TAGS: Final = frozenset(
    {
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
    }
    | {
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
    }
    | {
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
    }
    | {"tr", "tt", "u", "ul", "var"}
)
_EMPTY: Final = frozenset({"br", "hr"})
# Their content is no text for people.
_DROPPED: Final = frozenset(
    {
        "script",
        "style",
        "template",
        "noscript",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "title",
        "textarea",
    }
)
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\"'<>\\]+", re.ASCII)
_COUNT = re.compile(r"[1-9][0-9]?", re.ASCII)
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_DEEPEST: Final = 100


def markup_of(text: str, kind: str) -> str:
    """Return safe markup for a text of Gradescope's formats; '' when it is shown as plain text."""
    if kind == "html":
        return _clean(text)
    if kind == "simple_format":
        paragraphs = re.split(r"\n{2,}", text.strip().replace("\r\n", "\n"))
        return "".join(f"<p>{_clean(one).replace(chr(10), '<br>')}</p>" for one in paragraphs if one)
    return ""


def plain_of(text: str, kind: str) -> str:
    """Return the words of a text of Gradescope's formats."""
    if kind == "ansi":
        return _ESCAPE_SEQUENCE.sub("", text)
    if kind in ("html", "simple_format"):
        return re.sub(r"\n{3,}", "\n\n", _read(text).text()).strip()
    return text


def _clean(text: str) -> str:
    return _read(text).markup()


def _read(text: str) -> _Cleaner:
    cleaner = _Cleaner()
    cleaner.feed(text)
    cleaner.close()
    return cleaner


class _Cleaner(HTMLParser):
    """Keeps the tags of running text, an address of a link, and words; drops everything else."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._markup: list[str] = []
        self._words: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def markup(self) -> str:
        """Return what was kept, every element closed."""
        return "".join(self._markup) + "".join(f"</{tag}>" for tag in reversed(self._open))

    def text(self) -> str:
        """Return the words alone."""
        return "".join(self._words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a known tag."""
        if self._dropping or tag in _DROPPED:
            if tag in _DROPPED:
                self._dropping.append(tag)
            return
        if tag in ("br", "p", "div", "li", "tr", "pre"):
            self._words.append("\n")
        if tag in _EMPTY:
            self._markup.append(f"<{tag}>")
        elif tag in _TAGS and len(self._open) < _DEEPEST:
            self._open.append(tag)
            self._markup.append(f"<{tag}{_attributes(tag, dict(attrs))}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag without content; for browsers a slash closes nothing else."""
        if tag in _EMPTY or tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Close the element, and those inside it that were left open."""
        if self._dropping:
            if tag in self._dropping:
                del self._dropping[self._dropping.index(tag) :]
            return
        if tag in self._open:
            while (last := self._open.pop()) != tag:
                self._markup.append(f"</{last}>")
            self._markup.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Keep words."""
        if not self._dropping:
            self._markup.append(escape(data))
            self._words.append(data)


def _attributes(tag: str, given: dict[str, str | None]) -> str:
    if tag == "a" and (address := (given.get("href") or "").strip()) and _ADDRESS.fullmatch(address):
        return f' href="{escape(address)}" rel="noopener noreferrer nofollow"'
    if tag in ("td", "th"):
        spans = ((name, given.get(name) or "") for name in ("colspan", "rowspan"))
        return "".join(f' {name}="{value}"' for name, value in spans if _COUNT.fullmatch(value))
    return ""
