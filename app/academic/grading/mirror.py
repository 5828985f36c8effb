"""What a test changes around the student's code: random seed, patched names, variables, folder.

Tests patch `time.sleep` or seed `random` in their own process. The box is told before its next request, so
that the program meets what it would meet beside the tests.
"""

from __future__ import annotations

import functools
import os
import random
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.academic.grading.student_modules import StudentFinder

# These reach the student's code in another way, or must not reach it.
_APART = frozenset({("builtins", "input"), ("sys", "stdin"), ("sys", "stdout"), ("sys", "stderr"),
                    ("sys", "modules"), ("sys", "path"), ("sys", "meta_path")})  # fmt: skip
_NOT_TOLD = frozenset({"PYTEST_CURRENT_TEST", "PYTEST_VERSION"})
_GONE = object()


class Surroundings:
    """The changes of the running test; each box has a reader of its own."""

    def __init__(self) -> None:
        self.originals: dict[tuple[str, str], object] = {}
        self.variables = dict(os.environ)
        self.folder = os.getcwd()  # noqa: PTH109 - compared as text
        self.seeds = 0

    def install(self, finder: StudentFinder) -> None:
        """Notice from now on what tests patch and seed."""
        finder.when_imported("unittest.mock", self._install_mock)
        random.seed = self._noticing(random.seed, self._seeded)
        random.setstate = self._noticing(random.setstate, self._seeded)
        pytest.MonkeyPatch.setattr = self._noticing(pytest.MonkeyPatch.setattr, self._monkeyed)  # type: ignore[method-assign]
        pytest.MonkeyPatch.delattr = self._noticing(pytest.MonkeyPatch.delattr, self._monkeyed)  # type: ignore[method-assign]

    def _install_mock(self, module: Any) -> None:
        patcher = module._patch  # noqa: SLF001 - it has no public name
        patcher.__enter__ = self._noticing(patcher.__enter__, self._patched)

    def _noticing(self, function: Any, notice: Callable[..., None]) -> Any:
        @functools.wraps(function)
        def noticed(*arguments: Any, **keywords: Any) -> Any:
            notice(*arguments)
            return function(*arguments, **keywords)

        return noticed

    def _seeded(self, *_: object) -> None:
        self.seeds += 1

    def _patched(self, patcher: Any) -> None:
        self._watch(patcher.getter(), patcher.attribute)

    def _monkeyed(self, _: object, target: Any, name: Any = None, *_rest: object) -> None:
        if isinstance(target, str):
            module, _dot, name = target.rpartition(".")
            target = sys.modules.get(module)
        self._watch(target, name)

    def _watch(self, target: object, name: object) -> None:
        if not isinstance(target, types.ModuleType) or not isinstance(name, str):
            return
        key = (target.__name__, name)
        is_pythons = key[0].partition(".")[0] in sys.stdlib_module_names
        if is_pythons and type(target) is types.ModuleType and key not in _APART:
            self.originals.setdefault(key, getattr(target, name, _GONE))


class Mirror:
    """What one box was told of the surroundings."""

    def __init__(self, surroundings: Surroundings, shared: str) -> None:
        self._around, self._shared = surroundings, shared
        self._told: dict[tuple[str, str], object] = {}
        self._variables, self._folder = dict(surroundings.variables), surroundings.folder
        self._seeds, self._state = 0, None

    def news(self, pack: Callable[[Any], Any]) -> list[list[Any]]:
        """Return what the box has to be told before its next request."""
        return [
            *self._patches(pack),
            *self._changed_variables(),
            *self._changed_folder(),
            *self._random(pack),
        ]

    def _patches(self, pack: Callable[[Any], Any]) -> list[list[Any]]:
        found = []
        for key, original in self._around.originals.items():
            now = getattr(sys.modules[key[0]], key[1], _GONE)
            if now is self._told.get(key, original):
                continue
            self._told[key] = now
            if now is original:
                found.append(["restore", *key])
            elif now is _GONE:
                found.append(["remove", *key])
            else:
                found.append(["patch", *key, pack(now)])
        return found

    def _changed_variables(self) -> list[list[Any]]:
        if self._variables == (now := _variables()):
            return []
        before, self._variables = self._variables, now
        changed = {name: value for name, value in now.items() if before.get(name) != value}
        return [["variables", {**dict.fromkeys(before.keys() - now.keys()), **changed}]]

    def _changed_folder(self) -> list[list[Any]]:
        now = os.getcwd()  # noqa: PTH109 - compared as text
        if now == self._folder:
            return []
        self._folder = now
        return [["folder", now]] if now.startswith(self._shared) else []

    def _random(self, pack: Callable[[Any], Any]) -> list[list[Any]]:
        if not self._around.seeds:
            return []
        state: Any = random.getstate()
        if self._seeds == self._around.seeds and state == self._state:
            return []
        self._seeds, self._state = self._around.seeds, state
        return [["random", pack(state)]]


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _NOT_TOLD}
