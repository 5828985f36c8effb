"""Numbers as people type them, read exactly by a grammar of their own.

Nothing is evaluated. A value is a Fraction, so that a tolerance's edge is where the key says it is.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

LONGEST: Final = 200
# As a floating-point number would: beyond it is no number, nearer to zero it is zero.
_LARGEST: Final = Fraction(2) ** 1024
_EXPONENT_DIGITS: Final = 4
_SMALLEST_EXPONENT: Final = -400

_DASHES = dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d", "-")
_SLASHES = dict.fromkeys("\u2044\u2215\u00f7", "/")
_TIMES = dict.fromkeys("\u00d7\u00b7\u22c5\u2219\u2217", "*")
_NOTHING = dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad", "")
_SIGNS: Final = {**_DASHES, **_SLASHES, **_TIMES, **_NOTHING, "\u066b": ".", "\u066c": ",", "\u2019": "'"}
_SUPERSCRIPTS: Final = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b", "0123456789+-"
)
_RAISED = re.compile("10[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b]+")

_PLAIN = r"(?:\d+(?:\.\d*)?|\.\d+)"
# Groups of three do not begin with a zero: 0,333 is a decimal comma, 1,333 is more than a thousand.
_GROUPED = r"[1-9]\d{0,2}(?:(?P<by>[ ,'])\d{3})(?:(?P=by)\d{3})*(?:\.\d*)?"
_DOTTED = r"[1-9]\d{0,2}(?:\.\d{3})+,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}"
_COMMA = r"\d+,\d+"
_POWER = r"[eE](?P<e>[+-]?\d+)| ?[*xX] ?10(?:\^|\*\*)\(?(?P<ten>[+-]?\d+)\)?"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?) ?(?:(?P<grouped>{_GROUPED})|(?P<plain>{_PLAIN})|(?P<dotted>{_DOTTED})"
    rf"|(?P<comma>{_COMMA}))(?:{_POWER})?",
    re.ASCII,
)
_BARE_POWER = re.compile(r"(?P<sign>[+-]?) ?10(?:\^|\*\*)\(?(?P<ten>[+-]?\d+)\)?", re.ASCII)
_MIXED = re.compile(r"(?P<sign>[+-]?) ?(?P<whole>\d+) (?P<top>\d+) ?/ ?(?P<bottom>\d+)", re.ASCII)


class NotANumber(ValueError):
    """The text is no number; the message says why, as the end of a sentence."""


def read_number(text: str, units: Collection[str] = ()) -> Fraction:
    """Return the number a person wrote: 3.14, 314e-2, 3.14 * 10^0, 22/7, 1 3/4, 1,000.5, 12 %."""
    if len(text) > LONGEST:
        raise NotANumber(f"it has more than {LONGEST} characters")
    plain = normalise(text)
    if not plain:
        raise NotANumber("it is empty")
    number, unit = _without_unit(plain, units)
    value = _read(number)
    return value / 100 if unit == "%" and "%" not in units else value


def normalise(text: str) -> str:
    """Return the text with ASCII digits, signs and single spaces, whatever the keyboard made of them."""
    raised = _RAISED.sub(lambda match: f"10^{match[0][2:].translate(_SUPERSCRIPTS)}", text)
    return " ".join("".join(_plain_sign(sign) for sign in raised).split())


def _plain_sign(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign in _SIGNS:
        return _SIGNS[sign]
    if (digit := unicodedata.decimal(sign, None)) is not None:
        return str(digit)
    if sign.isspace():
        return " "
    return _compatible(sign)


def _compatible(sign: str) -> str:
    # Full-width forms are the same signs; a vulgar fraction stands apart from the digits before it.
    decomposed = unicodedata.normalize("NFKC", sign)
    if unicodedata.decomposition(sign).startswith("<fraction>"):
        return f" {decomposed}".replace("\u2044", "/")
    return decomposed if unicodedata.decomposition(sign).startswith("<wide>") else sign


def _without_unit(text: str, units: Collection[str]) -> tuple[str, str]:
    for unit in sorted({*map(normalise, units), "%"}, key=len, reverse=True):
        if unit and text.endswith(unit):
            return text.removesuffix(unit).rstrip(), unit
    return text, ""


def _read(text: str) -> Fraction:
    if mixed := _MIXED.fullmatch(text):
        return _mixed(mixed)
    top, slash, bottom = text.partition("/")
    if not slash:
        return _decimal(text)
    divisor = _decimal(bottom.strip())
    if not divisor:
        raise NotANumber("it divides by zero")
    return _bounded(_decimal(top.strip()) / divisor)


def _mixed(found: re.Match[str]) -> Fraction:
    if not int(found["bottom"]):
        raise NotANumber("it divides by zero")
    value = int(found["whole"]) + Fraction(int(found["top"]), int(found["bottom"]))
    return -value if found["sign"] == "-" else value


def _decimal(text: str) -> Fraction:
    if power := _BARE_POWER.fullmatch(text):
        value = _scaled(Fraction(1), power["ten"])
        return -value if power["sign"] == "-" else value
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise NotANumber("it is not one number")
    value = _scaled(Fraction(_digits(found)), found["e"] or found["ten"] or "0")
    return -value if found["sign"] == "-" else value


def _digits(found: re.Match[str]) -> str:
    if found["grouped"]:
        return found["grouped"].replace(found["by"], "").rstrip(".")
    if found["dotted"]:
        return found["dotted"].replace(".", "").replace(",", ".")
    return (found["plain"] or found["comma"].replace(",", ".")).rstrip(".")


def _scaled(value: Fraction, exponent: str) -> Fraction:
    if not value:
        return value
    digits = exponent.lstrip("+-").lstrip("0")
    if len(digits) > _EXPONENT_DIGITS or abs(int(exponent)) > -_SMALLEST_EXPONENT:
        if exponent.startswith("-"):
            return Fraction(0)
        raise NotANumber("it is too large")
    return _bounded(value * Fraction(10) ** int(exponent))


def _bounded(value: Fraction) -> Fraction:
    if abs(value) >= _LARGEST:
        raise NotANumber("it is too large")
    return value


def show_number(value: Fraction) -> str:
    """Return a value as a person reads it back: exactly where that is short, else to 12 digits."""
    if value.denominator == 1 and abs(value) < 10**15:
        return str(value.numerator)
    return f"{float(value):.12g}" if abs(value) < _LARGEST / 2 else "a very large number"
