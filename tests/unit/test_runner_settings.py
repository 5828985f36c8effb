"""A setting that cannot be used stops the start with a sentence that names it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from app.runner.errors import SettingsError
from app.runner.settings import Approval, Settings, load_approved, load_settings


def test_nothing_has_to_be_set() -> None:
    """Every setting has a default, and what belongs to others is not looked at."""
    assert Settings() == load_settings({"DEBUG": True, "MY_RUNNER_SLOTS": "x", "RUNNERS": 1})


def test_settings_cannot_be_changed() -> None:
    """Configuration is read once: nothing shifts under a running launcher."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().slots = 9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("slots", 4, 4),
        ("ageing_seconds", 0, 0.0),
        ("grace_seconds", 2.5, 2.5),
        ("retention_days", 0, 0.0),
        ("max_retries", 0, 0),
        ("start_method", "spawn", "spawn"),
        ("log_dir", "/var/log/jobs", Path("/var/log/jobs")),
        ("wake_dir", Path("there"), Path("there")),
        ("database_url", "sqlite://", "sqlite://"),
        ("layout", "base.html", "base.html"),
        ("approved", {"m.C": ["handle"]}, {"m.C": Approval(methods=("handle",))}),
    ],
)
def test_a_setting_is_read(name: str, value: Any, wanted: Any) -> None:
    """RUNNER_X of the configuration is the field x."""
    assert wanted == getattr(load_settings({f"RUNNER_{name.upper()}": value}), name)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Settings)])
def test_none_means_the_default(name: str) -> None:
    """A setting that is there and empty is as if it were not."""
    assert getattr(Settings(), name) == getattr(load_settings({f"RUNNER_{name.upper()}": None}), name)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SLOTS", 0, "a whole number from 1 to 1024"),
        ("SLOTS", -1, "a whole number"),
        ("SLOTS", 2.0, "a whole number"),
        ("SLOTS", "2", "a whole number"),
        ("SLOTS", True, "a whole number"),
        ("SLOTS", 10**400, "a whole number"),
        ("AGEING_SECONDS", -1, "a number from 0"),
        ("AGEING_SECONDS", float("nan"), "a number"),
        ("AGEING_SECONDS", float("inf"), "a number"),
        ("AGEING_SECONDS", "300", "a number"),
        ("MAX_RETRIES", -1, "a whole number"),
        ("GRACE_SECONDS", [5], "a number"),
        ("RETENTION_DAYS", -0.1, "a number"),
        ("LOG_LIMIT_BYTES", 999, "a whole number from 1000"),
        ("START_METHOD", "thread", "one of fork, spawn"),
        ("START_METHOD", ["fork"], "one of fork, spawn"),
        ("LOG_DIR", 5, "a text"),
        ("DATABASE_URL", {}, "a text"),
        ("LAYOUT", False, "a text"),
        ("APPLICATION", b"x", "a text"),
        ("APPROVED", ["m.C"], "must be like"),
        ("APPROVED", "m.C", "must be like"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: Any, expected: str) -> None:
    """The sentence names the setting and says what it must be."""
    with pytest.raises(SettingsError, match=f"^RUNNER_{name} must be .*") as refused:
        load_settings({f"RUNNER_{name}": value})

    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("SLOT", "; did you mean RUNNER_SLOTS?"), ("RETENTION", "; did you mean"), ("", ""), ("XYZZY", "")],
)
def test_a_setting_nobody_knows_is_named(name: str, hint: str) -> None:
    """A slip of the pen is not a setting without effect: it stops the start, with a guess."""
    with pytest.raises(SettingsError) as refused:
        load_settings({f"RUNNER_{name}": 1})

    assert str(refused.value).startswith(f"RUNNER_{name}: there is no such setting{hint}")


@pytest.mark.parametrize(
    ("entry", "approval"),
    [
        (["handle"], Approval(methods=("handle",))),
        (("a", "b"), Approval(methods=("a", "b"))),
        ({"methods": ["a"]}, Approval(methods=("a",))),
        (
            {"methods": ["a"], "timeout": 60, "retries": 2},
            Approval(methods=("a",), timeout=60.0, retries=2),
        ),
        (Approval(methods=("a",)), Approval(methods=("a",))),
    ],
)
def test_handlers_are_approved_in_short_or_with_options(entry: Any, approval: Approval) -> None:
    """A class is approved with its methods, and how they run by default."""
    assert {"package.module.Class": approval} == load_approved({"package.module.Class": entry})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Class",
        "module.",
        ".Class",
        "a..B",
        "a.B ",
        "a.B\n",
        "a-b.C",
        "a.1B",
        "../a.B",
        "\uff41.B",
        5,
        None,
        f"a.{'b' * 200}",
    ],
)
def test_a_class_is_approved_by_its_whole_dotted_name(name: Any) -> None:
    """What could not be looked up letter by letter is no name."""
    with pytest.raises(SettingsError, match="is not a dotted class name"):
        load_approved({name: ["handle"]})


@pytest.mark.parametrize(
    "methods",
    ["handle", [], None, {}, [5], [""], ["_hidden"], ["__init__"], ["a.b"], ["a b"], ["h\n"], {"a"}],
)
def test_only_public_methods_can_be_approved(methods: Any) -> None:
    """Methods are listed by name; private and dunder ones are nobody's to call."""
    with pytest.raises(SettingsError, match=r"m\.C needs a list of public method names"):
        load_approved({"m.C": methods})


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"timeout": 0}, "m.C: timeout must be a number"),
        ({"timeout": "60"}, "m.C: timeout must be a number"),
        ({"timeout": 10**9}, "m.C: timeout must be a number"),
        ({"retries": -1}, "m.C: retries must be a whole number"),
        ({"retries": 1.5}, "m.C: retries must be a whole number"),
        ({"retry": 1}, "m.C has the unknown option 'retry'"),
    ],
)
def test_options_of_a_handler_are_checked(options: dict[str, Any], problem: str) -> None:
    """A wrong option of one class is found at start-up, and the class is named."""
    with pytest.raises(SettingsError, match="RUNNER_APPROVED: ") as refused:
        load_approved({"m.C": {"methods": ["handle"], **options}})

    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_running": 0}, "max_running must be a whole number from 1"),
        ({"max_running": True}, "max_running must be a whole number"),
        ({"rate": 10}, 'rate must be like "10/minute"'),
        ({"rate": "0/minute"}, 'rate must be like "10/minute"'),
        ({"rate": "10/week"}, 'rate must be like "10/minute"'),
        ({"rate": "10 / minute"}, 'rate must be like "10/minute"'),
    ],
)
def test_a_limit_that_cannot_be_used_stops_start_up(options: dict[str, object], said: str) -> None:
    """A limit nobody could keep is named, with its class and what was expected."""
    with pytest.raises(SettingsError, match=said):
        load_approved({"m.C": {"methods": ["x"], **options}})


def test_a_rate_is_a_number_of_starts_in_a_window() -> None:
    """Second, minute, hour and day are the windows there are."""
    read = load_approved({"m.C": {"methods": ["x"], "rate": "100/hour"}})["m.C"].rate

    assert read is not None
    assert (100, 3600) == (read.count, read.seconds)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"done": 7}, "'done' is not one of completed, failed, cancelled"),
        ({"failed": -1}, "failed must be a number from 0"),
        ("30", "must be a number from 0"),
    ],
)
def test_a_retention_that_cannot_be_used_stops_start_up(value: object, said: str) -> None:
    """A number of days, or one for each status."""
    with pytest.raises(SettingsError, match=said):
        load_settings({"RUNNER_RETENTION_DAYS": value})
