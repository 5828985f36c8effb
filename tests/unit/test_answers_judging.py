"""Answers to questions with a key: how numbers are read, and what each answer deserves."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pytest

from app.academic.grading.answers.judging import judge, judge_words
from app.academic.grading.answers.numbers import NotANumber, read_number
from app.academic.grading.answers.questions import BadKey, Question, question_from_words
from app.academic.grading.answers.sets import NotASet, read_set

TABLE = Path(__file__).parents[1] / "data" / "numeric_answers" / "cases.csv"
with TABLE.open(encoding="utf-8") as _file:
    CASES = list(csv.DictReader(_file))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['submitted']}")
def test_answers_get_what_they_deserve(case: dict[str, str]) -> None:
    """Each answer of the table gets its fraction of the points."""
    got = judge_words(case["kind"], case["expected"], case["params"], case["submitted"])
    assert float(case["fraction"]) == pytest.approx(got)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\u22123.14", Fraction("-3.14")),
        ("+ 3.", Fraction(3)),
        ("3,14", Fraction("3.14")),
        ("0,333", Fraction("0.333")),
        ("1,000", Fraction(1000)),
        ("1\u202f000\u202f000.5", Fraction("1000000.5")),
        ("1.000.000,5", Fraction("1000000.5")),
        ("2 \u00d7 10\u2075", Fraction(200000)),
        ("-10^-3", Fraction(-1, 1000)),
        ("22 / 7", Fraction(22, 7)),
        ("1 3/4", Fraction(7, 4)),
        ("1\u00bd", Fraction(3, 2)),
        ("\u0663\u066b\u0661\u0664", Fraction("3.14")),
        ("12 %", Fraction(3, 25)),
        ("1e-999", Fraction(0)),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, value: Fraction) -> None:
    """Signs, separators, powers and fractions of any keyboard give the same exact number."""
    assert value == read_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "1e400",
        "1_000",
        "0x10",
        "1/0",
        "1/2/3",
        "3.1.4",
        "--3",
        "1,00,000",
        "(3)",
        "5 m",
        "9" * 400,
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    """Nothing is guessed, evaluated or taken for infinity."""
    with pytest.raises(NotANumber):
        read_number(text)


def test_a_unit_may_be_left_out_but_not_be_another() -> None:
    """Where the key has a unit, the number counts with it or alone; another unit is no number."""
    question = question_from_words("numeric", "9.81", "atol=0.01 unit=m/s^2|m/s/s")
    assert [1.0, 1.0, 0.0] == [judge(question, said).fraction for said in ("9.81 m/s^2", "9.81", "9.81 km")]


def test_a_percentage_is_its_value_unless_percent_is_the_unit() -> None:
    """50 % is one half; with the unit %, it is fifty."""
    assert 1.0 == judge_words("numeric", "0.5", "atol=0.001", "50%")
    assert (1.0, 1.0) == (
        judge_words("numeric", "50", "atol=0.1 unit=%", "50 %"),
        judge_words("numeric", "50", "atol=0.1 unit=%", "50"),
    )


def test_the_edge_of_a_tolerance_is_inside() -> None:
    """An answer exactly as far off as is allowed is right, whatever binary fractions make of it."""
    assert [1.0, 1.0, 0.0] == [
        judge_words("numeric", "0.3", "atol=0.1", said) for said in ("0.2", "0.4", "0.4000000000001")
    ]


def test_the_usual_tolerance_never_takes_zero_for_a_small_key() -> None:
    """A key so small that the usual tolerance would accept zero needs a tolerance of its own."""
    with pytest.raises(BadKey, match="atol: expected a tolerance"):
        question_from_words("numeric", "6.626e-34", "")
    assert 0.0 == judge_words("numeric", "6.626e-34", "rtol=0.01", "0")


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("{3, 2, 1, 1}", "1;2;3"),
        ("{}", "\u2205"),
        ("{(1,2), (2,3)}", "(2, 3), (1, 2)"),
        ("{{}, {1}}", "{{1},{}}"),
        ("{1/2, A}", "{a, 0.5}"),
    ],
)
def test_sets_are_equal_whatever_their_order(text: str, other: str) -> None:
    """Order, repetition and the way a number is written make no difference; pairs and sets are elements."""
    assert read_set(text) == read_set(other)


@pytest.mark.parametrize(
    "text", ["", "{1,2", "1,,2", "{1,2}}", "{(1,2}", "(1,2)", "{1} {2}", "{" * 50 + "}" * 50]
)
def test_what_is_no_set_is_refused(text: str) -> None:
    """Brackets that do not fit, missing elements and tuples are no sets."""
    with pytest.raises(NotASet):
        read_set(text)


def test_several_choices_may_be_a_list() -> None:
    """What a form's boxes send is judged as the same choices in one text are; half of them is half."""
    question = question_from_words("multi_choice", "A,C", "options=A|B|C|D partial=+1/-1")
    assert [1.0, 0.5, 0.0] == [judge(question, said).fraction for said in (["C", "A"], ["A"], ["A", "B"])]


def test_a_single_choice_takes_one() -> None:
    """Two options at once are no answer to a question with one."""
    question = question_from_words("single_choice", "B", "options=A|B")
    assert (1.0, 0.0) == (judge(question, ["b"]).fraction, judge(question, ["A", "B"]).fraction)


def test_a_star_stands_for_any_letters() -> None:
    """A key with a star takes what begins and ends like it."""
    question = Question(id="q", kind="short_text", accepted=(("de*morgan", 1.0),))
    assert [1.0, 1.0, 0.0] == [
        judge(question, said).fraction for said in ("De Morgan.", "demorgan", "Morgan, de")
    ]


def test_every_answer_is_judged() -> None:
    """Whatever is written gets a judgement with a sentence, and never an exception."""
    for kind, key, parameters in [
        ("numeric", "1", ""),
        ("set", "{1}", ""),
        ("boolean", "true", ""),
        ("single_choice", "A", "options=A|B"),
    ]:
        for said in ("\0", "{" * 3000, "9" * 3999, "\ud800", "x" * 9000, "1/" * 50):
            found = judge(question_from_words(kind, key, parameters), said)
            assert 0.0 == found.fraction
            assert found.note
