"""The approved list is the only way from a name to code."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from app.runner.registry import NotApproved, Registry
from app.runner.settings import load_approved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULE = "handlers_of_the_registry_test"
SOURCE = """
class Base:
    def inherited(self): ...

class Handler(Base):
    number = 5
    alias = print
    nested = type("Nested", (), {})

    def plain(self): ...
    @staticmethod
    def static(): ...
    @classmethod
    def classy(cls): ...
    @property
    def prop(self): ...
    async def coroutine(self): ...
    def generator(self): yield
    async def both(self): yield

def function(): ...
def __getattr__(name):
    if name == "Nothing":
        return Handler
    raise AttributeError(name)
"""
METHODS = ["plain", "inherited", "number", "alias", "nested", "static", "classy", "prop", "missing"]
METHODS += ["coroutine", "generator", "both"]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Approve all there is, and more, of a module that nobody has imported yet."""
    (tmp_path / f"{MODULE}.py").write_text(textwrap.dedent(SOURCE))
    (tmp_path / "broken_of_the_registry_test.py").write_text("raise RuntimeError('no')")
    monkeypatch.syspath_prepend(tmp_path)
    names = [f"{MODULE}.Handler", f"{MODULE}.function", f"{MODULE}.Nothing", f"{MODULE}.Handler.nested"]
    names += ["broken_of_the_registry_test.Handler", "absent_of_the_registry_test.Handler"]
    yield Registry(load_approved(dict.fromkeys(names, METHODS)))
    sys.modules.pop(MODULE, None)


@pytest.mark.parametrize(
    ("class_name", "field"),
    [
        ("time.X", "class"),
        ("os", "class"),
        ("", "class"),
        (5, "class"),
        (None, "class"),
        ([f"{MODULE}.Handler"], "class"),
        (f"{MODULE}.handler", "class"),
        (f"{MODULE}.Handler ", "class"),
        (f"{MODULE}.Base", "class"),
    ],
)
def test_a_class_outside_of_the_list_is_refused(registry: Registry, class_name: object, field: str) -> None:
    """Only what stands on the list, letter by letter, is found."""
    with pytest.raises(NotApproved, match="is not an approved class") as refused:
        registry.find(class_name, "plain")

    assert field == refused.value.field


@pytest.mark.parametrize("method", ["", "other", "__init__", "Plain", "plain ", 5, None, ["plain"]])
def test_a_method_outside_of_the_list_is_refused(registry: Registry, method: object) -> None:
    """Approval is for a class and a method together."""
    with pytest.raises(NotApproved, match="is not an approved method of") as refused:
        registry.find(f"{MODULE}.Handler", method)

    assert "method" == refused.value.field


def test_looking_up_imports_nothing(registry: Registry) -> None:
    """A name is found before any of its code is loaded, and a wrong one loads none."""
    registry.find(f"{MODULE}.Handler", "plain")
    with pytest.raises(NotApproved):
        registry.find(f"{MODULE}.Base", "inherited")

    assert MODULE not in sys.modules


def test_an_approved_method_is_loaded(registry: Registry) -> None:
    """The class comes with the plain function behind the method."""
    found, function = registry.load(registry.find(f"{MODULE}.Handler", "plain"))

    assert ("Handler", "plain") == (found.__name__, function.__name__)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "plain"])
def test_what_is_no_plain_method_of_its_own_is_refused(registry: Registry, method: str) -> None:
    """Approved by mistake, an inherited method, an attribute or a coroutine still does not run."""
    with pytest.raises(NotApproved) as refused:
        registry.load(registry.find(f"{MODULE}.Handler", method))

    assert "method" == refused.value.field
    assert method in str(refused.value)


@pytest.mark.parametrize(
    ("class_name", "problem"),
    [
        (f"{MODULE}.function", "is not a class"),
        (f"{MODULE}.Nothing", "is not a class"),
        (f"{MODULE}.Handler.nested", "cannot be imported"),
        ("broken_of_the_registry_test.Handler", "cannot be imported: RuntimeError('no')"),
        ("absent_of_the_registry_test.Handler", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_class_that_is_not_there_is_refused(registry: Registry, class_name: str, problem: str) -> None:
    """A list that names what does not exist is answered with a sentence, and no traceback."""
    with pytest.raises(NotApproved) as refused:
        registry.load(registry.find(class_name, "plain"))

    assert "class" == refused.value.field
    assert f"{class_name} {problem}" in str(refused.value)


def test_preloading_survives_what_cannot_be_loaded(registry: Registry) -> None:
    """A warm parent loads what it can; each job of the rest says what is wrong with it."""
    registry.preload()

    assert MODULE in sys.modules


def test_a_refusal_shows_a_name_in_ascii_and_in_short() -> None:
    """A name from outside is quoted so that it can mislead neither a terminal nor a log."""
    with pytest.raises(NotApproved) as refused:
        Registry({}).find("\u202e\n" + "x" * 10**6, "plain")

    assert str(refused.value).isascii()
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200
