"""What the tests lend to a student's program, their objects, files and folders, does not become a way out."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from app.academic.grading.formats import load_assignment
from app.academic.grading.grader import grade

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.results import TestResult

# Finds the harness from inside, as a determined student would.
MINE = """
import gc
def find(name):
    return next(one for one in gc.get_objects() if type(one).__name__ == name)
"""


def run(tmp_path: Path, tests: str, program: str) -> dict[str, TestResult]:
    """Grade a program against tests, both given as text; return the results by short name."""
    (tmp_path / "test_it.py").write_text(textwrap.dedent(tests), encoding="utf-8")
    report = grade(load_assignment(tmp_path), {"solution.py": textwrap.dedent(program).encode()})
    return {test.name.rpartition("::")[2]: test for test in report.tests}


BEHIND = [
    "thing.__class__.__init__.__globals__['pytest']",
    "thing.method.__globals__['pytest']",
    "thing._secret",
    "thing.__init__.__self__._secret",
    "function.__globals__['pytest']",
    "function.__closure__[1]",
    "function.__code__.co_consts[4711]",
    "thing.library.environ['PYTHONPATH']",
    "thing.case",
    "thing.method.__func__",
    "find('Lender')._ask({'get': 0, 'name': '__class__'})",
    "find('Lender')._ask({'get': 0, 'name': '__dict__'})",
    "find('Lender')._ask({'get': 1, 'name': '__globals__'})",
    "find('Lender')._ask({'call': 0, 'special': '__getattribute__', 'args': ['_secret'], 'kwargs': {}})",
    "find('Lender')._ask({'call': 999, 'args': [], 'kwargs': {}})",
    "find('Lender')._ask({'call': True, 'args': [], 'kwargs': {}})",
    "find('Lender')._ask({'get': -1, 'name': 'x'})",
    "find('Lender')._ask({'set': 0, 'name': 'method', 'value': 1})",
    "find('Lender')._ask({'set': 0, 'name': '__class__', 'value': 1})",
    "find('Lender')._ask({'get': 0})",
]


@pytest.mark.parametrize("attempt", BEHIND)
def test_nothing_behind_a_lent_object_is_reached(tmp_path: Path, attempt: str) -> None:
    """The program may use the public names of what it was given; the rest raises, or ends the program."""
    tests = """
        import os, pytest, unittest, solution
        class Thing:
            library = os
            case = unittest.TestCase()
            def __init__(self): self._secret, self.name = "hunter2", "thing"
            def method(self): return 1
        def test_it():
            def function(): return Thing
            thing = Thing()
            assert solution.honest(thing, function) == ("thing", 1)
            assert solution.attack(thing, function) == "refused"
            assert thing.method() == 1
    """
    program = f"""
        {textwrap.indent(MINE, "        ").strip()}
        def honest(thing, function): return thing.name, thing.method()
        def attack(thing, function):
            try:
                got = {attempt}
            except BaseException:
                return "refused"
            return f"BREACH {{got!r}}"
    """

    found = run(tmp_path, tests, program)["test_it"]

    assert "BREACH" not in found.message, found.message
    assert "hunter2" not in found.message
    assert found.is_passed or found.verdict in {"bad_reply", "protocol_error"}, found.message


LEVERS = [
    "mock.assert_called_once_with = lambda *a: None",
    "mock.call_count = 1",
    "mock.called = True",
    "mock.return_value = 1",
    "mock.configure_mock(called=True)",
    "mock.mock_calls.append(1)",
    "mock.reset_mock()",
    "mock.side_effect = None",
]


@pytest.mark.parametrize("lever", LEVERS)
def test_a_mock_cannot_be_told_what_to_say(tmp_path: Path, lever: str) -> None:
    """The program calls a mock, or not; what the mock noted is the test's alone."""
    tests = """
        from unittest import mock
        import solution
        def test_it():
            m = mock.Mock()
            solution.use(m)
            m.assert_called_once_with(5)
    """
    program = f"""
        def use(mock):
            try:
                {lever}
            except AttributeError:
                pass
    """

    found = run(tmp_path, tests, program)["test_it"]

    assert "failed" == found.status


OUTSIDE = ["wraps=open", "side_effect=open", "wraps=os", "side_effect=os.system"]


@pytest.mark.parametrize("how", OUTSIDE)
def test_a_mock_around_pythons_own_does_not_run_outside(tmp_path: Path, how: str) -> None:
    """Where a mock would do the real thing in the trusted process, it is refused with a sentence."""
    tests = f"""
        import os
        from unittest import mock
        import solution
        def test_it(): solution.use(mock.MagicMock({how}))
    """
    canary = tmp_path / "canary"
    program = f"""
        def use(m):
            for make in (lambda: m({str(canary)!r}, "w"), lambda: m("touch {canary}"),
                         lambda: m.system("touch {canary}")):
                make()
    """

    found = run(tmp_path, tests, program)["test_it"]

    assert "outside of the sandbox" in found.message
    assert not canary.exists()


def test_functions_of_pythons_own_are_used_inside(tmp_path: Path) -> None:
    """`open`, `eval` or `os.system` passed by a test is the box's own, never the trusted process's."""
    tests = f"""
        import functools, os, solution
        def test_it():
            for f in (open, functools.partial(open, mode="w"), os.listdir):
                assert solution.use(f, {str(tmp_path)!r}) == "denied"
            assert solution.use(eval, "__import__('os').getcwd()").endswith("/shared/cwd")
    """
    program = """
        def use(f, path):
            try: return f(path)
            except OSError: return "denied"
    """

    found = run(tmp_path, tests, program)["test_it"]

    assert found.is_passed, found.message


FILES = """
    import json, os, pathlib, pickle, sys
    import pytest, solution
    def test_links(tmp_path):
        solution.attack(tmp_path)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["honest.txt"]
    def test_code(tmp_path):
        solution.plant(tmp_path); solution.plant(".")
        assert not list(tmp_path.glob("*.py")) and not list(pathlib.Path(".").glob("*.py"))
        assert os.getcwd() not in sys.path and "" not in sys.path
    def test_not_passed(tmp_path):
        (tmp_path / "expected.txt").write_text("4711"); (tmp_path / "in.txt").write_text("1")
        assert solution.peek(tmp_path / "in.txt") == "nothing"
        assert (tmp_path / "expected.txt").read_text() == "4711"
    def test_forged(tmp_path):
        solution.forge(str(tmp_path))
        assert [] == list(tmp_path.iterdir())
        assert not os.path.exists(os.path.join(os.path.dirname(__file__), "conftest.py"))
    def test_pickle(tmp_path):
        solution.write_pickle(tmp_path / "x.pkl")
        with pytest.raises(PermissionError), open(tmp_path / "x.pkl", "rb") as f: pickle.load(f)
    def test_large(tmp_path):
        with pytest.raises(OSError, match="too large"): solution.flood(tmp_path / "big.bin")
    def test_path_of_tests_folder():
        assert solution.read(__file__) == "denied"
        assert solution.read(str(pathlib.Path(__file__).parent / "secret.txt") + "/../test_it.py") == "denied"
"""


def test_files_come_back_only_where_and_as_the_test_lets_them(tmp_path: Path) -> None:
    """Links, pipes, code, other files of the test, other folders and floods do not come through."""
    program = (
        MINE
        + """
import os, pickle
def attack(folder):
    os.symlink("/etc/passwd", folder / "link"); os.symlink("/", folder / "root")
    try: os.mkfifo(folder / "fifo")
    except OSError: pass
    (folder / "honest.txt").write_text("x")
def plant(folder):
    for name in ("json.py", "difflib.pyc", "x.so", "a.PY", "site.pth"):
        with open(os.path.join(folder, name), "w") as f: f.write("import os; os.abort()")
def peek(path):
    other = path.with_name("expected.txt")
    found = other.read_text() if other.exists() else "nothing"
    other.write_text("1")
    return found
def forge(folder):
    shared = find("SharedFolder")
    names = ["../../conftest.py", "/tmp/x.txt", "../x.txt", "a/../../x.txt", "tests/../../x", "", "a//b",
             "given/conftest.txt", "x\\0y", "." , ".."]
    type(shared).changes = lambda self: [[name, "eA=="] for name in names]
class Evil:
    def __reduce__(self): return eval, ("1",)
def write_pickle(path):
    with open(path, "wb") as f: pickle.dump(Evil(), f)
def flood(path): path.write_bytes(bytes(1 << 20))
def read(path):
    try: return open(path).read()
    except OSError: return "denied"
"""
    )
    found = run(tmp_path, FILES, program)

    assert {} == {name: test.message for name, test in found.items() if not test.is_passed}


SHARING = """
    import solution
    def test_other_list():
        data, secret = [1, 2], [9]
        solution.give(data)
        solution.forge()
        assert secret == [9] and solution.give(secret) == 4711
    def test_wrong_kind():
        data = [1]
        solution.give(data); solution.change_kind(); solution.give(data)
    def test_claim():
        expected = {"answer": 4711}
        assert solution.claim() == expected
"""


def test_forged_shares_change_nothing_else(tmp_path: Path) -> None:
    """A program that lies about shared lists ends, or changes only what it was given."""
    program = (
        MINE
        + """
def give(data): return 0
def forge():
    shared = find("Shared")
    type(shared).changes = lambda self: [[n, [0]] for n in range(-3, 50)]
def change_kind():
    shared = find("Shared")
    type(shared).changes = lambda self: [[0, {"builtins.dict": []}]]
def claim():
    shared = find("Shared")
    type(shared).number_of = lambda self, value: 0
    return {}
"""
    )
    found = run(tmp_path, SHARING, program)

    assert {"failed", "error"} >= {test.status for test in found.values()}
    assert "bad_reply" == found["test_wrong_kind"].verdict


def test_a_deep_tower_of_calls_back_ends(tmp_path: Path) -> None:
    """A program and a test that call each other without end are stopped, and the next test runs."""
    tests = """
        import solution
        def test_deep():
            def again(): return solution.call(again)
            again()
        def test_after(): assert solution.call(lambda: 1) == 1
    """

    found = run(tmp_path, tests, "def call(f): return f()\n")

    assert not found["test_deep"].is_passed
    assert found["test_after"].is_passed


def test_exceptions_that_lie_stay_exceptions(tmp_path: Path) -> None:
    """An exception whose cause, text or class misbehaves is the student's error and nothing else."""
    tests = """
        import pytest, solution
        def test_cause():
            with pytest.raises(ValueError) as e: solution.circle()
        def test_huge():
            with pytest.raises(ValueError) as e: solution.huge()
            assert len(str(e.value)) <= 4000
        def test_skip(): solution.skip()
        def test_exit(): solution.leave()
    """
    program = """
        import sys
        def circle():
            a = ValueError("a"); b = ValueError("b"); a.__cause__ = b; b.__cause__ = a
            raise a
        class Huge(ValueError):
            def __str__(self): return "x" * 10**6
        def huge(): raise Huge("x" * 10**6)
        def skip():
            class Skipped(Exception): __module__ = "_pytest.outcomes"
            raise Skipped("skip me")
        def leave(): sys.exit(0)
    """

    found = run(tmp_path, tests, program)

    assert ["passed", "passed"] == [found["test_cause"].status, found["test_huge"].status]
    assert ["error", "error"] == [found["test_skip"].status, found["test_exit"].status]


REENTRY = """
    import threading
    import pytest, solution
    def test_reenter():
        seen = []
        def inner(n):
            seen.append(n)
            return solution.down(inner, n - 1) if n else 0
        assert solution.down(inner, 5) == 0 and seen == [5, 4, 3, 2, 1, 0]
    def test_thread_of_the_program():
        with pytest.raises(RuntimeError, match="main thread"): solution.from_thread(lambda: 1)
    def test_callback_kept():
        solution.keep(lambda: "first")
        assert solution.use() == "first"
    def test_callback_is_gone_in_the_next_test():
        with pytest.raises(NameError): solution.use()
    def test_generator_that_calls_back():
        seen = []
        assert list(solution.calls(seen.append, 3)) == [0, 1, 2] and seen == [0, 1, 2]
    def test_swallowed():
        def fails(): raise KeyboardInterrupt
        with pytest.raises(KeyboardInterrupt): solution.call(fails)
"""


def test_calls_back_and_forth_stay_in_order(tmp_path: Path) -> None:
    """Calls nest, threads of the program may not answer, and nothing is kept from test to test."""
    program = """
        import threading
        def down(f, n): return f(n)
        def call(f): return f()
        def from_thread(f):
            found = []
            def work():
                try: f()
                except BaseException as error: found.append(error)
            thread = threading.Thread(target=work); thread.start(); thread.join()
            raise found[0]
        def keep(f):
            global kept
            kept = f
        def use(): return kept()
        def calls(f, n):
            for i in range(n):
                f(i)
                yield i
    """

    found = run(tmp_path, REENTRY, program)

    assert {"test_swallowed"} >= {name for name, test in found.items() if not test.is_passed}, found


LIES = """
    import pytest, solution
    from unittest import mock
    class Mine:
        def __init__(self): self.total = 1
        def add(self, n): self.total += n
    def test_stand_in_for_mine():
        mine = Mine()
        assert solution.other(mine) is mine
    def test_equal_to_lent():
        assert solution.liar() == Mine()
    def test_equal_to_mock():
        assert solution.liar() == mock.sentinel.x
    def test_in_list():
        assert solution.liar() in [4711, "x"]
    def test_key():
        assert {4711: 1}[solution.liar()] == 1
    def test_number():
        assert solution.number() + 0 == 4711
    def test_text():
        assert "x" + solution.text() == "x4711"
    def test_sum():
        assert sum([solution.number()]) == 4711
    def test_sorted():
        assert sorted([solution.number(), 3]) == [3, 4711]
    def test_approx():
        assert solution.number() == pytest.approx(4711)
    def test_isinstance():
        assert isinstance(solution.liar(), Mine)
    def test_subclass_of_ours():
        class Sub(solution.Base):
            def answer(self): return 4711
        assert Sub().ask() == 4711
    def test_method_of_ours():
        class Sub(solution.Base):
            def answer(self): return 1
        assert Sub().total() == 4711
"""


def test_objects_that_lie_gain_nothing(tmp_path: Path) -> None:
    """Whatever an object of the program claims to equal or to be, no such test passes."""
    program = """
        class Always:
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __hash__(self): return hash(4711)
            def __lt__(self, other): return True
            def __bool__(self): return True
            def __contains__(self, other): return True
            __add__ = __radd__ = __sub__ = __rsub__ = lambda self, other: self
            __abs__ = lambda self: self
            @property
            def __class__(self): return int
        def liar(): return Always()
        class Number(int):
            __eq__ = __lt__ = __gt__ = lambda self, other: True
            __hash__ = lambda self: hash(4711)
            __add__ = __radd__ = lambda self, other: 4711 if False else self
        def number(): return Number(1)
        class Text(str):
            __eq__ = lambda self, other: True
            __hash__ = str.__hash__
            __radd__ = lambda self, other: self
        def text(): return Text("y")
        def other(mine): return Always()
        class Base:
            def ask(self): return Always()
            def total(self): return Always()
    """

    found = run(tmp_path, LIES, program)

    assert [] == [name for name, test in found.items() if test.is_passed]
