"""results.json of Gradescope's autograders: how each must be read, and what nobody may be shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.academic.grading.gradescope.markup import markup_of, plain_of
from app.academic.grading.gradescope.readings import BadResults, Results, read_results

DATA = Path(__file__).parents[1] / "data" / "gradescope_results"
EXPECTED: dict[str, dict[str, Any]] = json.loads((DATA / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_read_as_it_must_be(name: str) -> None:
    """Validity, total, maximum and what is shown when are those of the table."""
    wanted = EXPECTED[name]
    content = (DATA / f"{name}.json").read_bytes()
    if not wanted["valid"]:
        with pytest.raises(BadResults, match=r"not JSON|not a finite number"):
            read_results(content)
        return
    told = _facts(read_results(content))
    assert {key: value for key, value in wanted.items() if key in told} == {
        key: told[key] for key in wanted if key in told
    }


def _facts(results: Results) -> dict[str, Any]:
    return {
        "total": results.total,
        "max": results.maximum,
        "shown_before_due": len(results.shown_tests(is_due=False)),
        "shown_after_due": len(results.shown_tests(is_due=True)),
        "score_shown": results.is_score_shown(is_due=False),
        "status": [test.status for test in results.tests],
        "stdout_to_student": results.is_stdout_shown,
    }


def read(**data: Any) -> Results:
    """Read a file with this in it."""
    return read_results(json.dumps(data).encode())


def test_a_score_of_its_own_overrides_the_sum() -> None:
    """The score at the top is the total, whatever the tests add up to."""
    results = read(score=7, tests=[{"score": 1, "max_score": 10}])
    assert (7.0, 10.0, True) == (results.total, results.maximum, results.has_own_score)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "expected a score"),
        ({"tests": []}, "expected a score"),
        ({"tests": [{"name": "a", "status": "passed"}]}, "expected a score"),
        ({"score": "7"}, "score: expected a number"),
        ({"score": True}, "score: expected a number"),
        ({"score": 10**400}, "score: expected a finite number"),
        ({"score": 1, "tests": {"a": 1}}, "tests: expected a list"),
        ({"score": 1, "tests": ["a"]}, r"tests\[0\]: expected an object"),
        ({"score": 1, "tests": [{"max_score": []}]}, r"tests\[0\].max_score: expected a number"),
        ({"score": 1, "visibility": "secret"}, "visibility: expected one of"),
        ({"score": 1, "tests": [{"visibility": "hiden"}]}, r"tests\[0\].visibility: expected one of"),
    ],
)
def test_a_file_that_cannot_be_meant_is_the_autograders_fault(data: dict[str, Any], said: str) -> None:
    """What is missing or of another kind is named by its place; it is never a zero."""
    with pytest.raises(BadResults, match=said):
        read(**data)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"[" * 100_000, b"\xff", b'{"score": 1e999}', b'{"score": Infinity}']
)
def test_what_is_no_object_of_numbers_is_refused(content: bytes) -> None:
    """Empty, too deep, not UTF-8 and infinite are errors with a sentence."""
    with pytest.raises(BadResults):
        read_results(content)


@pytest.mark.parametrize(
    ("visibility", "before", "after", "published"),
    [
        ("visible", 1, 1, 1),
        ("hidden", 0, 0, 0),
        ("after_due_date", 0, 1, 1),
        ("after_published", 0, 0, 1),
    ],
)
def test_there_are_four_visibilities(visibility: str, before: int, after: int, published: int) -> None:
    """A test is shown from its moment on, and the total not before."""
    results = read(tests=[{"score": 1, "max_score": 1, "visibility": visibility}])
    moments = [(False, False), (True, False), (True, True)]
    shown = [len(results.shown_tests(is_due=due, is_published=out)) for due, out in moments]
    told = [int(results.is_score_shown(is_due=due, is_published=out)) for due, out in moments]
    assert ([before, after, published],) * 2 == (shown, told)


def test_markup_keeps_words_and_loses_what_acts() -> None:
    """Scripts, handlers, styles and addresses of code are gone; running text and links are there."""
    text = (
        "<script>alert(1)</script><b onclick=x()>bold</b><a href='javascript:x'>bad</a>"
        "<a href='https://example.org/?a=1&b'>good</a><img src=x onerror=y><p style='x'>open <i>inner"
        "<svg><script>2</script></svg><td colspan='2'>&lt;cell&gt;</td>"
    )
    assert (
        "<b>bold</b><a>bad</a>"
        '<a href="https://example.org/?a=1&amp;b" rel="noopener noreferrer nofollow">good</a>'
        '<p>open <i>inner<td colspan="2">&lt;cell&gt;</td></i></p>'
    ) == markup_of(text, "html")


def test_other_formats_become_words() -> None:
    """Colours of a terminal are left out; what is not known is plain text."""
    assert "red" == plain_of("\x1b[31mred\x1b[0m", "ansi")
    assert "a\nb" == plain_of("a<br>b<script>c</script>", "html")
    assert "<p>one<br>two</p><p>three</p>" == markup_of("one\ntwo\n\nthree", "simple_format")
    assert "" == markup_of("<b>x</b>", "text")
