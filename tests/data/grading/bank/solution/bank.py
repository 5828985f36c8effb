import datetime, decimal, fractions, collections, enum, dataclasses, random
print("loaded")
RATE = 0.5
class BankError(Exception): pass
class TooPoor(BankError, ValueError):
    def __init__(self, need, have):
        super().__init__(f"need {need}, have {have}")
        self.need, self.have = need, have
class Account:
    bank = "First"
    made = 0
    def __init__(self, owner, balance=0, *, kind="basic"):
        self.owner, self.balance, self.kind = owner, balance, kind
        Account.made += 1
    def deposit(self, n):
        if n <= 0: raise ValueError("amount must be positive")
        self.balance += n; return self.balance
    def withdraw(self, n):
        if n > self.balance: raise TooPoor(n, self.balance)
        self.balance -= n
    @property
    def rich(self): return self.balance > 1000
    @classmethod
    def open(cls, owner): return cls(owner, 10)
    @staticmethod
    def add(a, b): return a + b
    def __eq__(self, o): return isinstance(o, Account) and o.owner == self.owner
    def __hash__(self): return hash(self.owner)
    def __repr__(self): return f"Account({self.owner!r})"
    def __len__(self): return self.balance
    def __lt__(self, o): return self.balance < o.balance
    def me(self): return self
class Savings(Account): pass
class Vec:
    def __init__(s, x, y): s.x, s.y = x, y
    def __add__(s, o): return Vec(s.x+o.x, s.y+o.y)
    def __mul__(s, k): return Vec(s.x*k, s.y*k)
    __rmul__ = __mul__
    def __eq__(s, o):
        if isinstance(o, tuple): return (s.x, s.y) == o
        return isinstance(o, Vec) and (s.x, s.y) == (o.x, o.y)
    def __abs__(s): return (s.x**2+s.y**2)**.5
    def __getitem__(s, i): return (s.x, s.y)[i]
    def __setitem__(s, i, v): setattr(s, "xy"[i], v)
    def __bool__(s): return bool(s.x or s.y)
    def __str__(s): return f"<{s.x}, {s.y}>"
    def __format__(s, f): return f"V{f}"
    def __contains__(s, v): return v in (s.x, s.y)
    def __call__(s, k): return k * s.x
class Stack(list):
    def push(self, x): self.append(x)
class Always:
    def __eq__(s, o): return True
    def __sub__(s, o): return 0
    __rsub__ = __sub__
    def __lt__(s, o): return True
    def __contains__(s, o): return True
def cheat(): return Always()
def stack():
    s = Stack(); s.push(1); s.push(2); return s
class Color(enum.Enum):
    RED = 1
    BLUE = 2
class Num(enum.IntEnum):
    ONE = 1
Point = collections.namedtuple("Point", "x y")
@dataclasses.dataclass
class Item:
    name: str
    price: float = 1.0
def point(): return Point(1, 2)
def count(n):
    for i in range(n): yield i
def forever():
    i = 0
    while True:
        yield i; i += 1
class Managed:
    def __init__(self): self.log = []
    def __enter__(self): self.log.append("in"); return self
    def __exit__(self, t, v, tb): self.log.append(t.__name__ if t else "out"); return t is KeyError
def apply(f, *a, **k): return f(*a, **k)
def catches(f):
    try: return f()
    except ValueError as e: return f"caught {e}"
def sort_in_place(l): l.sort()
def grow(d, s): d["k"] = [1]; s.add(9)
def flip(grid):
    for r in grid: r.reverse()
def same(l): l.append(1); return l
def echo(x): return x
def kind(x): return type(x)
def hello(name="World"):
    """Greet."""
    print(f"Hello, {name}!")
def ask():
    n = int(input("number? ")); print(n * 2)
def ask_all():
    import sys
    return [l.strip() for l in sys.stdin]
def roll(): return random.randint(1, 6)
state = []
def remember(x): state.append(x); return len(state)
def fail(): raise KeyError("gone")
def quit(): raise SystemExit(3)
def div(a, b): return a / b
def skip():
    import unittest
    raise unittest.SkipTest("no")
def compose(f, g): return lambda x: f(g(x))
async def later(x): return x + 1
class Node:
    def __init__(self, v, next=None): self.v, self.next = v, next
class Temp:
    def __init__(self, c): self._c = c
    @property
    def c(self): return self._c
    @c.setter
    def c(self, v):
        if v < -273: raise ValueError("too cold")
        self._c = v
