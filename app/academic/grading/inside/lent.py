"""Objects and functions of the tests, as the student's code sees them."""

from __future__ import annotations

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Ask = Callable[[dict[str, Any]], Any]

_FACTS = ("__name__", "__qualname__", "__doc__", "__module__")
_SEPARATE = 3  # the kind of a parameter that is given by its name only


class Lender:
    """Makes one stand-in for each object of the tests, and knows its own."""

    def __init__(self, ask: Ask, pack: Callable[[Any], Any], unpack: Callable[[Any], Any]) -> None:
        self._ask, self._pack, self._unpack = ask, pack, unpack
        self._made: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._types: dict[Any, type] = {}

    def take(self, tag: str, content: Any) -> Any:
        """Return the stand-in for what the tests passed: an object, an exception class or an iterator."""
        if tag == "lent":
            return self.borrow(content)
        return self.failure(content) if tag == "failure" else self.following(content)

    def borrow(self, described: dict[str, Any]) -> Any:
        """Return the stand-in for an object of the tests."""
        number = described["id"]
        if number not in self._made:
            self.keep(number, self._make(number, described))
        return self._made[number]

    def keep(self, number: int, made: Any) -> Any:
        """Note that made stands for the object of that number."""
        self._made[number] = made
        self._numbers[id(made)] = number
        return made

    def made(self, number: int) -> Any:
        """Return the stand-in of a number, None if there is none yet."""
        return self._made.get(number)

    def number_of(self, value: object) -> int | None:
        """Return the number of a stand-in, None for any other object."""
        return self._numbers.get(id(value))

    def failure(self, described: list[Any]) -> Any:
        """Return the stand-in for an exception class of the tests."""
        number, name, base = described
        if number not in self._made:
            self.keep(number, type(name, (self._unpack(base),), {"__module__": "tests"}))
        return self._made[number]

    def following(self, number: int) -> Any:
        """Yield what an iterator of the tests yields."""
        while found := self._ask({"next": number}):
            yield found[0]

    def _make(self, number: int, described: dict[str, Any]) -> Any:
        if "facts" in described:
            return self._function(number, described)
        made: Any
        key = (described["name"], described["module"], tuple(described["specials"]))
        if key not in self._types:
            body: dict[str, Any] = {name: self._special(name) for name in described["specials"]}
            if "__eq__" in body and "__hash__" not in body:
                body["__hash__"] = None
            self._types[key] = type(key[0], (_Lent,), {**body, "__module__": key[1]})
        made = object.__new__(self._types[key])
        for name, value in (("_lender", self), ("_number", number)):
            object.__setattr__(made, name, value)
        return made

    def _function(self, number: int, described: dict[str, Any]) -> Any:
        def lent(*arguments: Any, **keywords: Any) -> Any:
            return self.call(number, arguments, keywords)

        made = lent
        if (parameters := described.get("parameters")) is not None:
            made = _with_parameters(lent, [(*one[:2], *map(self._unpack, one[2:])) for one in parameters])
        for name, fact in zip(_FACTS, described["facts"], strict=True):
            setattr(made, name, fact)
        return made

    def _special(self, name: str) -> Any:
        def method(lent: Any, *arguments: Any, **keywords: Any) -> Any:
            number = object.__getattribute__(lent, "_number")
            return self.call(number, arguments, keywords, name)

        method.__name__ = name
        return method

    def call(
        self, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any], special: str | None = None
    ) -> Any:
        """Let the test call something of its own."""
        named = {name: self._pack(item) for name, item in keywords.items()}
        given = [self._pack(item) for item in arguments]
        changed: dict[Any, Any] = {**dict(enumerate(arguments)), **keywords}
        return self._ask(
            {"call": number, "special": special, "args": given, "kwargs": named, "mutable": changed}
        )

    def get(self, number: int, name: str) -> Any:
        """Ask for an attribute of a test's object."""
        return self._ask({"get": number, "name": name})

    def set(self, number: int, name: str, value: Any) -> None:
        """Change an attribute of a test's object."""
        self._ask({"set": number, "name": name, "value": self._pack(value)})


class _Lent:
    """An object of the tests."""

    __slots__ = ("__weakref__", "_lender", "_number")

    def __getattr__(self, name: str) -> Any:
        if name in {"_lender", "_number"}:
            raise AttributeError(name)
        lender: Lender = object.__getattribute__(self, "_lender")
        return lender.get(object.__getattribute__(self, "_number"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        lender: Lender = object.__getattribute__(self, "_lender")
        lender.set(object.__getattribute__(self, "_number"), name, value)


def _with_parameters(function: Any, parameters: list[tuple[Any, ...]]) -> Any:
    """Return function with the parameters the test's own has, for code that looks at them."""
    space: dict[str, Any] = {"call_the_test": function}
    head: list[str] = []
    args: list[str] = []
    named: list[str] = []
    for index, (name, kind, *default) in enumerate(parameters):
        if default:
            space[f"default_of_{index}"] = default[0]
        star = {2: "*", 4: "**"}.get(kind, "")
        if kind == _SEPARATE and not any(one.startswith("*") for one in head):
            head.append("*")
        head.append(f"{star}{name}" + (f"=default_of_{index}" if default else ""))
        (named if kind >= _SEPARATE else args).append(
            f"{name}={name}" if kind == _SEPARATE else f"{star}{name}"
        )
    only = sum(kind == 0 for _, kind, *_ in parameters)
    if only:
        head.insert(only, "/")
    text = f"def lent({', '.join(head)}): return call_the_test({', '.join([*args, *named])})"
    exec(text, space)  # noqa: S102 - names of parameters, from the trusted side
    return space["lent"]
