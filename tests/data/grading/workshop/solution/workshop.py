import abc, asyncio, enum, functools, inspect, json, os, random, re, sys, time
from collections import namedtuple
from pathlib import Path

Point = namedtuple("Point", "x y")


class Color(enum.Enum):
    RED, GREEN = "r", "g"


class Wrong(ValueError):
    def __init__(self, text):
        super().__init__(text)
        self.code = 7


class Metered:
    def __init__(self, line):
        self._line, self._ops, self._bytes = line, 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *what):
        return self._line.__exit__(*what)

    def recv(self, size, flags=0):
        data = self._line.recv(size, flags)
        self._ops += 1
        self._bytes += len(data)
        return data

    def send(self, data, flags=0):
        return self._line.send(data, flags)

    @property
    def recv_ops(self): return self._ops

    @property
    def recv_bytes(self): return self._bytes


def use(filelike):
    filelike.open()
    try:
        filelike.do_something()
    finally:
        filelike.close()


def grep(pattern, files):
    found = []
    for name in files:
        with open(name) as f:
            found += [line for line in f.readlines() if pattern in line]
    return "".join(found)


class Cell:
    def __init__(self, value): self._value, self._callbacks = value, set()
    def add_callback(self, callback): self._callbacks.add(callback)
    def remove_callback(self, callback): self._callbacks.discard(callback)
    @property
    def value(self): return self._value
    @value.setter
    def value(self, value):
        self._value = value
        for callback in self._callbacks: callback(value)


class Account:
    def __init__(self): self.balance = 0
    def deposit(self, n): self.balance += n
    def withdraw(self, n): self.balance -= n


def name(): return "".join(random.choices("abc", k=12))
def roll(): return random.randint(1, 6)
def draw(rng, items): return rng.choice(items)
def wait(): time.sleep(30)
def now(): return time.time()
def greet(who): print("Hello,", who)
def ask_two(): return int(input("a")) + int(input("b"))
def from_argv(): return int(sys.argv[1])
def env(): return os.environ.get("WORKSHOP_KEY")
def talk(): print("out"); print("err", file=sys.stderr)
def save(data, file): json.dump(data, file)
def count_lines(file): return len(list(file))
def sort_file(source, target):
    with open(source) as f: lines = sorted(f)
    with open(target, "w") as f: f.writelines(lines)
def size(path): return os.path.getsize(path)
def names(folder): return sorted(p.name for p in Path(folder).iterdir())
def make(folder):
    os.makedirs(folder)
    path = Path(folder) / "made.txt"
    path.write_text("made")
    return path
def remove(path): os.remove(path)


async def later(n): await asyncio.sleep(0); return 2 * n
async def fails_later(): raise ValueError("too late")
async def counting(n):
    for i in range(n): yield i
class Door:
    is_open = False
    async def __aenter__(self): self.is_open = True; return self
    async def __aexit__(self, *_): self.is_open = False


class Stack:
    kind = "stack"
    def __init__(self, items): self.items = list(items)
    def push(self, item): self.items.append(item)
    def push_many(self, items):
        for item in items: self.push(item)
class Leaky(Stack):
    def __init__(self, items): self.items = items
    def add(self, item): self.items.append(item)
    def __len__(self): return len(self.items)
def collect(x, into=None): into = [] if into is None else into; into.append(x); return into
def clear_and_fail(data): data.clear(); raise ValueError
def apply_to_list(f): xs = [1]; f(xs); return xs
def memoize(f):
    known = {}
    @functools.wraps(f)
    def inner(*args):
        if args not in known: known[args] = f(*args)
        return known[args]
    return inner
def repeat(times):
    def outer(f):
        @functools.wraps(f)
        def inner(*args, **kwargs): return [f(*args, **kwargs) for _ in range(times)]
        return inner
    return outer
def curry(f, *got):
    if len(got) >= f.__code__.co_argcount: return f(*got)
    return lambda x: curry(f, *got, x)
def parameters(f): return list(inspect.signature(f).parameters)
def sort_by(items, key): return sorted(items, key=key)
def apply(pattern, text): return pattern.search(text).group()
def reduce(f, items): return functools.reduce(f, items)
def bill(items): return sum(item.total(2) for item in items if isinstance(item.name, str))
def fill(bag): bag.add(1); bag.add(2); return bag
def total(items): return sum(items)
def same(x): return x
def catches(f, kind):
    try: f()
    except kind as e: return "caught " + type(e).__name__
def retry(f, times):
    for n in range(times):
        try: return f()
        except OSError: pass
def wrap():
    try: {}["x"]
    except KeyError as e: raise Wrong("wrapped") from e


@functools.total_ordering
class Money:
    def __init__(self, n): self.n = n
    def _of(self, other): return other.n if isinstance(other, Money) else other
    def __add__(self, other): return Money(self.n + self._of(other))
    def __mul__(self, k): return Money(self.n * k)
    __rmul__ = __mul__
    def __eq__(self, other): return self.n == self._of(other)
    def __lt__(self, other): return self.n < self._of(other)
    def __hash__(self): return hash(self.n)
    def __bool__(self): return bool(self.n)
    def __repr__(self): return f"Money({self.n})"


def match(text): return re.match(r"a(\d)", text)
def counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count
def averager():
    total = count = 0; mean = None
    while True:
        total += yield mean; count += 1; mean = total / count
def forever():
    n = 0
    while True: yield n; n += 1
def returns():
    yield 1
    return "end"
def third(): return 1 / 3
def enter(manager):
    with manager as value: return value


class Shape(abc.ABC):
    def __init__(self, name): self.name = name
    @abc.abstractmethod
    def area(self): ...
    def describe(self): return f"{self.name} {self.area()}"
def largest(shapes): return max(shapes, key=lambda s: s.area())
