"""A student's source on a page: nothing in it runs, hides or freezes the page."""

from __future__ import annotations

from app.academic.source import SHOWN_CHARACTERS, SHOWN_LINE, source_lines


def test_markup_in_source_is_escaped() -> None:
    """Source is text, also where it looks like markup."""
    lines, is_cut = source_lines(b"x = '<script>alert(1)</script>'\n")
    assert "<script" not in str(lines[0])
    assert "&lt;script&gt;" in str(lines[0])
    assert not is_cut


def test_lines_are_those_python_counts() -> None:
    """CR, CRLF and LF end a line; form feed and line separators do not."""
    lines, _ = source_lines("a\r\nb\rc\nd\x0ce\u2028f\n".encode())
    assert 4 == len(lines)


def test_hidden_characters_are_named() -> None:
    """What would make the reader see other text than Python does is spelt out."""
    lines, _ = source_lines("x = 'a' #\u202e } \x1b[2J\n".encode())
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in str(lines[0])
    assert "U+001B" in str(lines[0])
    assert "\u202e" not in str(lines[0])


def test_long_source_is_cut() -> None:
    """A file of megabytes, or one line of it, does not reach the page whole."""
    many, is_cut = source_lines(b"pass\n" * 150_000)
    assert is_cut
    assert len(many) <= SHOWN_CHARACTERS // 5 + 1
    long, is_cut = source_lines(b"X = '" + b"x" * 60_000 + b"'\n")
    assert is_cut
    assert len(str(long[0])) < 2 * SHOWN_LINE


def test_a_multi_line_string_keeps_every_line_whole() -> None:
    """Each line of markup stands by itself: spans end where the line ends."""
    lines, _ = source_lines(b'"""one\ntwo\nthree"""\n')
    assert 3 == len(lines)
    assert all(str(line).count("<span") == str(line).count("</span>") for line in lines)
