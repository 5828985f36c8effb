"""Passwords: what is accepted, and how they are kept (argon2id)."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Iterable

    from argon2 import PasswordHasher

MINIMUM_LENGTH: Final = 8
# Far above any sentence; only there so that a megabyte is not hashed.
MAXIMUM_LENGTH: Final = 1000
# Different ones: aaaabbbb has two.
FEWEST_LETTERS: Final = 4

# How people disguise a word: p@ssw0rd.
_PLAIN: Final = str.maketrans("@013457$!", "aoieastsi")
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "0123456789012345678909876543210987654321",
)


def hash_password(password: str) -> str:
    """Hash it for keeping; slow on purpose, so never inside a transaction."""
    return _hasher().hash(password)


def verify(password_hash: str | None, password: str) -> bool:
    """Tell whether the password is the one; without a hash it takes as long and says no."""
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher = _hasher()
    try:
        return hasher.verify(password_hash or _hash_of_nobody(hasher), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Tell whether it was hashed with other parameters than today's."""
    return _hasher().check_needs_rehash(password_hash)


def _hasher() -> PasswordHasher:
    return _make_hasher(current_app.config["PASSWORD_ROUNDS"], current_app.config["PASSWORD_MEMORY_KIB"])


@lru_cache
def _make_hasher(rounds: int, memory_kib: int) -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)


@lru_cache
def _hash_of_nobody(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")


def password_problem(password: str, *, personal: Iterable[str] = ()) -> str | None:
    """Say what is wrong with a new password; None if it will do.

    `personal` are words that others would guess first: name, address.
    """
    if len(password) < MINIMUM_LENGTH:
        return f"Use at least {MINIMUM_LENGTH} characters; this has {len(password)}."
    if len(password) > MAXIMUM_LENGTH:
        return f"Use at most {MAXIMUM_LENGTH} characters; this has {len(password)}."
    if len(set(password.lower())) < FEWEST_LETTERS or _is_keyboard_walk(password.lower()):
        return "That is among the first that others would try: a row of keys or one letter again and again."
    if any(core in _common() or core in set(_personal_words(personal)) for core in _cores(password)):
        return (
            "That is among the first that others would try: a common word or your own name, even with digits."
        )
    return None


def _cores(password: str) -> set[str]:
    """Take off what people put around and into a word: `P@ssw0rd2024!` is `password`."""
    lowered = password.casefold()
    bare = lowered.strip("0123456789!?.,;:-_+*#$%&@ ")
    plain = lowered.translate(_PLAIN)
    return {lowered, bare, plain, bare.translate(_PLAIN), _halved(bare)}


def _halved(word: str) -> str:
    """Give `monkey` for `monkeymonkey`."""
    half = len(word) // 2
    return word[:half] if word[:half] == word[half:] else word


def _is_keyboard_walk(password: str) -> bool:
    return any(password in row or password in row[::-1] for row in _ROWS)


def _personal_words(personal: Iterable[str]) -> Iterable[str]:
    for word in personal:
        folded = word.casefold()
        yield from (folded, folded.partition("@")[0])


@lru_cache
def _common() -> frozenset[str]:
    text = files("app.accounts").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.split() if not line.startswith("#"))
