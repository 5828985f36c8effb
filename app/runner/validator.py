"""Says everything that is wrong with a job before it is stored, and stores nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from app.runner.errors import Problem, ValidationError
from app.runner.models import Job
from app.runner.plain import plain_json
from app.runner.redact import redacted
from app.runner.registry import Handler, NotApproved, Registry
from app.runner.settings import (
    DEFAULT_RETRIES,
    DOTTED_NAME,
    MAX_DELAY_SECONDS,
    MAX_TIMEOUT_SECONDS,
    NAME,
    NAME_LENGTH,
    Settings,
)
from app.runner.signature import check_call, shown

if TYPE_CHECKING:
    from collections.abc import Callable

# So many jobs may one job wait for: each is locked for a moment when it is enqueued.
MAX_AFTER: Final = 10_000
# What is equal only to what is the same, once its type is known to be.
_TOLD_APART: Final = frozenset({str, int, float, type(None)})
# So many of many jobs are said to be wrong, each with its reason; of the rest only how many.
MAX_SHOWN: Final = 20
_MAX_ID: Final = 2**63
_POLICIES: Final = ("cancel", "run")


# Parameters as they are stored, and as people see them where that differs.
Shown = tuple[str, "str | None"]


# Tuples, for they are made for every job, and quicker than other frozen values.
class Request(NamedTuple):
    """A job as somebody asked for it; nothing in it is trusted."""

    class_name: object
    method: object
    unknown: Mapping[str, object]
    parameters: object = None
    priority: object = 2
    delay: object = 0
    retries: object = None
    timeout: object = None
    unique_key: object = None
    unique_seconds: object = None
    after: object = ()
    after_failed: object = "cancel"
    replaces: object = None


class ValidJob(NamedTuple):
    """A job that may be stored."""

    handler: Handler
    parameters: str
    shown_parameters: str | None
    priority: int
    delay: float
    retries: int
    timeout: float | None
    unique_key: str | None
    unique_seconds: float | None = None
    after: tuple[int, ...] = ()
    after_failed: str = "cancel"
    replaces: int | None = None


def validate(request: Request, registry: Registry, settings: Settings) -> ValidJob:
    """Check every field; raises `ValidationError` with all problems at once."""
    options = _options_of(request)
    known = None if options is None else _found_before(request, registry, options)
    if known is not None:
        return known
    checks = _Checks(request, registry, settings)
    job = checks.run()
    if checks.problems or job is None:
        raise ValidationError(checks.problems)
    if options is not None:
        registry.remember(options, job)
    return job


def validate_many(request: Request, registry: Registry, settings: Settings) -> tuple[ValidJob, list[Shown]]:
    """Check jobs that differ in their parameters only, of which the request has a list.

    Gives what they have in common, and the parameters of each. Raises `ValidationError` with all problems.
    """
    checks = _ManyChecks(request, registry, settings)
    job = checks.run()
    if checks.problems or job is None:
        raise ValidationError(checks.problems)
    return job, checks.each


def _options_of(request: Request) -> tuple[object, ...] | None:
    """Give all but the parameters as a key; None for what is one job's alone, or might equal another."""
    alone = (request.unique_key, request.unique_seconds, request.replaces)
    if request.unknown or any(value is not None for value in alone):
        return None
    if type(request.after) is not tuple or request.after or request.after_failed != "cancel":
        return None
    values = request[:2] + request[4:8]
    kinds = tuple(map(type, values))
    return (values, kinds) if _TOLD_APART.issuperset(kinds) else None


def _found_before(request: Request, registry: Registry, options: object) -> ValidJob | None:
    """Give the job if it differs in its parameters only from one that was valid, and these fit too."""
    known = registry.known.get(options)
    if known is None:
        return None
    try:
        text, hidden = _fitting(registry.load(known.handler)[1], request.parameters)
    except (ValueError, RecursionError, NotApproved):
        return None
    valid: ValidJob = known._replace(parameters=text, shown_parameters=hidden)
    return valid


class _Checks:
    """Collects problems field by field; a field that is wrong gives None."""

    of_what = "a job"

    def __init__(self, request: Request, registry: Registry, settings: Settings) -> None:
        self.request, self.registry, self.settings = request, registry, settings
        self.problems: list[Problem] = []

    def run(self) -> ValidJob | None:
        request = self.request
        for name in request.unknown:
            self.problem(name, f"is not an option of {self.of_what}")
        handler, function = self.handler()
        parameters = self.parameters(function)
        priority = self.integer("priority", request.priority, 1, 3, "1 (high), 2 (medium) or 3 (low)")
        delay = self.seconds("delay", request.delay, 0, MAX_DELAY_SECONDS)
        retries = self.retries(handler)
        timeout = self.timeout(handler)
        unique_key = self.unique_key()
        unique_seconds = self.unique_seconds()
        after = self.after()
        replaces = self.replaces()
        self.policy()
        if handler is None or parameters is None or priority is None or delay is None or retries is None:
            return None
        return ValidJob(
            handler=handler,
            parameters=parameters[0],
            shown_parameters=parameters[1],
            priority=priority,
            delay=delay,
            retries=retries,
            timeout=timeout,
            unique_key=unique_key,
            unique_seconds=unique_seconds,
            after=after,
            after_failed=str(request.after_failed),
            replaces=replaces,
        )

    def problem(self, field: str, message: str) -> None:
        self.problems.append(Problem(field, message))

    def handler(self) -> tuple[Handler | None, Callable[..., Any] | None]:
        class_ok = self.name("class", self.request.class_name, DOTTED_NAME.fullmatch, "module.Class")
        method_ok = self.name("method", self.request.method, NAME.fullmatch, "handle")
        if not (class_ok and method_ok):
            return None, None
        try:
            handler = self.registry.find(self.request.class_name, self.request.method)
            return handler, self.registry.load(handler)[1]
        except NotApproved as error:
            self.problem(error.field, str(error))
            return None, None

    def name(self, field: str, value: object, matches: Callable[[str], object], example: str) -> bool:
        if not isinstance(value, str):
            self.problem(field, f"must be a name like {example}, not {type(value).__name__}")
        elif len(value) > NAME_LENGTH or not matches(value):
            self.problem(
                field, f"must be a name like {example}: letters, digits, _ and . (at most {NAME_LENGTH})"
            )
        else:
            return True
        return False

    def parameters(self, function: Callable[..., Any] | None) -> Shown | None:
        try:
            return _fitting(function, self.request.parameters)
        except (ValueError, RecursionError) as error:
            self.problem("parameters", str(error))
            return None

    def integer(self, field: str, value: object, least: int, most: int, what: str) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.problem(field, f"must be {what}, not {shown(value)}")
            return None
        return value

    def seconds(self, field: str, value: object, least: float, most: float) -> float | None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        # Compared before it is made a float: not every whole number can be one.
        if not is_number or not least <= cast("float", value) <= most:
            self.problem(field, f"must be seconds from {least:g} to {most}, not {shown(value)}")
            return None
        return float(cast("float", value))

    def retries(self, handler: Handler | None) -> int | None:
        value = self.request.retries
        if value is None:
            approved = handler.approval.retries if handler else None
            value = min(DEFAULT_RETRIES if approved is None else approved, self.settings.max_retries)
        most = self.settings.max_retries
        return self.integer("retries", value, 0, most, f"a whole number from 0 to {most}")

    def timeout(self, handler: Handler | None) -> float | None:
        if self.request.timeout is None:
            return handler.approval.timeout if handler else None
        return self.seconds("timeout", self.request.timeout, 0.001, MAX_TIMEOUT_SECONDS)

    def unique_key(self) -> str | None:
        value = self.request.unique_key
        if value is None:
            return None
        if not isinstance(value, str) or not 0 < len(value) <= NAME_LENGTH or not value.isprintable():
            self.problem("unique_key", f"must be a printable text of 1 to {NAME_LENGTH} characters")
            return None
        return value

    def unique_seconds(self) -> float | None:
        value = self.request.unique_seconds
        if value is None:
            return None
        if self.request.unique_key is None:
            self.problem("unique_seconds", "is for how long a unique_key is taken, and there is none")
        return self.seconds("unique_seconds", value, 0, MAX_DELAY_SECONDS)

    def after(self) -> tuple[int, ...]:
        given = self.request.after
        if given is None:
            return ()
        if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
            self.problem("after", f"must be a list of jobs or of their numbers, not {shown(given)}")
            return ()
        ids = [each.id if isinstance(each, Job) else each for each in given]
        wrong = [each for each in ids if type(each) is not int or not 0 < each < _MAX_ID]
        for each in wrong:
            self.problem("after", f"must be made of jobs or their numbers: {shown(each)} is neither")
        if len(ids) > MAX_AFTER:
            self.problem("after", f"must be at most {MAX_AFTER} jobs, not {len(ids)}")
        return tuple(dict.fromkeys(ids)) if not wrong else ()

    def replaces(self) -> int | None:
        given = self.request.replaces
        number = given.id if isinstance(given, Job) else given
        if number is None:
            return None
        if type(number) is not int or not 0 < number < _MAX_ID:
            self.problem("replaces", f"must be a job or its number, not {shown(given)}")
            return None
        return number

    def policy(self) -> None:
        if self.request.after_failed not in _POLICIES:
            self.problem("after_failed", f'must be "cancel" or "run", not {shown(self.request.after_failed)}')


class _ManyChecks(_Checks):
    """The same for many jobs: what they share is checked once."""

    of_what = "many jobs at once"

    def __init__(self, request: Request, registry: Registry, settings: Settings) -> None:
        super().__init__(request, registry, settings)
        self.each: list[Shown] = []

    def parameters(self, function: Callable[..., Any] | None) -> Shown | None:
        given = self.request.parameters
        if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
            self.problem("parameters", f"must be a list with the parameters of each job, not {shown(given)}")
            return None
        wrong = 0
        for place, one in enumerate(given):
            try:
                self.each.append(_fitting(function, one))
            except (ValueError, RecursionError) as error:
                wrong += 1
                if wrong <= MAX_SHOWN:
                    self.problem(f"parameters[{place}]", str(error))
        if wrong > MAX_SHOWN:
            self.problem("parameters", f"{wrong - MAX_SHOWN} more cannot be used either")
        return "[]", None


def _fitting(function: Callable[..., Any] | None, given: object) -> Shown:
    """Give parameters as they are stored and shown. Raises ValueError with a sentence if they do not fit."""
    value, text = plain_json(given)
    if function is None:
        return text, None
    misfit = check_call(function, value)
    if misfit is not None:
        raise ValueError(misfit)
    return text, redacted(function, value)
