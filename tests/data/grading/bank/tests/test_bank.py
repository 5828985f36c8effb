import copy, datetime, decimal, fractions, math, inspect, io, collections, types
import pytest, unittest
from unittest import mock
import bank
from bank import Account, TooPoor, Vec
import bank as b

@pytest.fixture
def acc(): return Account("Ann", 100)
@pytest.fixture(scope="module")
def shared(): return Account("Mod", 1)

def test_basic(acc):
    assert acc.balance == 100 and acc.owner == "Ann"
    assert acc.deposit(50) == 150
    acc.withdraw(30); assert acc.balance == 120
    assert not acc.rich
    acc.balance = 5000; assert acc.rich
def test_kw(): assert Account("x", kind="gold").kind == "gold"
def test_class_attr(): assert Account.bank == "First" and bank.RATE == 0.5
def test_fresh_state_1(): assert bank.remember(1) == 1
def test_fresh_state_2(): assert bank.remember(1) == 1
def test_made(): Account("a"); assert Account.made == 1
def test_classmethod(): assert Account.open("z").balance == 10; assert Account.add(1, 2) == 3
def test_eq_hash(): assert Account("a") == Account("a", 5); assert len({Account("a"), Account("a")}) == 1; assert Account("a") != Account("b")
def test_repr_len(): assert repr(Account("a")) == "Account('a')" and len(Account("a", 7)) == 7
def test_sorted():
    xs = sorted([Account("a", 3), Account("b", 1)]); assert [x.owner for x in xs] == ["b", "a"]
def test_isinstance(acc):
    assert isinstance(acc, Account) and not isinstance(acc, Vec)
    assert isinstance(bank.Savings("s"), Account)
    assert issubclass(bank.Savings, Account)
    assert type(acc).__name__ == "Account"
    assert acc.__class__ == Account
    assert acc.__class__.__name__ == "Account"
def test_identity(acc): assert acc.me() is acc
def test_raises(acc):
    with pytest.raises(TooPoor, match="need 500, have 100") as e: acc.withdraw(500)
    assert e.value.need == 500
    with pytest.raises(ValueError, match="need"): acc.withdraw(500)
    with pytest.raises(bank.BankError): acc.withdraw(500)
    with pytest.raises(ValueError, match="positive"): acc.deposit(-1)
    with pytest.raises(ZeroDivisionError): bank.div(1, 0)
    with pytest.raises(KeyError): bank.fail()
    with pytest.raises(SystemExit) as s: bank.quit()
    assert s.value.code == 3
    with pytest.raises(AttributeError): acc.nothing
    with pytest.raises(TypeError): Account()
    assert issubclass(TooPoor, ValueError)
def test_vec():
    v = Vec(1, 2) + Vec(3, 4)
    assert (v.x, v.y) == (4, 6) and v == Vec(4, 6)
    assert Vec(1, 2) == (1, 2)
    assert abs(Vec(3, 4)) == 5
    assert (Vec(1, 2) * 3).x == 3 and (3 * Vec(1, 2)).y == 6
    v = Vec(1, 2); assert v[0] == 1; v[1] = 9; assert v.y == 9
    assert list(v) == [1, 9]
    assert not Vec(0, 0) and Vec(1, 0)
    assert str(v) == "<1, 9>" and f"{v:x}" == "Vx"
    assert 9 in v and 5 not in v
    assert v(10) == 10 and callable(v)
    x, y = v; assert y == 9
def test_cheats():
    c = bank.cheat()
    assert not (c == 5); assert c != 5; assert not (5 == c)
    with pytest.raises(TypeError, match="not asked"): c - 5
    with pytest.raises(TypeError): 5 - c
    with pytest.raises(TypeError): c < 5
    with pytest.raises(TypeError): 5 in c
    with pytest.raises(TypeError): round(abs(c - 2.5), 7)
    assert not (c == [1]) and c != {"a": 1}
    assert pytest.approx(2.5) != c
    assert c != mock.sentinel.x
def test_stack():
    s = bank.stack(); assert s == [1, 2] and [1, 2] == s and len(s) == 2
    s.push(3); assert s == [1, 2, 3] and s[0] == 1 and list(s) == [1, 2, 3] and 3 in s and s != [1]
    t = bank.Stack(); t.push(1); assert t == [1]; assert s + [4] == [1, 2, 3, 4]
def test_enum():
    assert bank.Color.RED.value == 1 and bank.Color.RED.name == "RED"
    assert bank.Color.RED == bank.Color.RED and bank.Color.RED is not bank.Color.BLUE
    assert bank.Color(2) == bank.Color.BLUE
    assert bank.Num.ONE == 1 and bank.Num.ONE.name == "ONE"
    assert [c.name for c in bank.Color] == ["RED", "BLUE"]
    assert bank.Color["RED"].value == 1
def test_point():
    p = bank.point(); assert p == (1, 2) and p.x == 1 and p[1] == 2 and isinstance(p, tuple)
def test_dataclass():
    assert bank.Item("a") == bank.Item("a") and repr(bank.Item("a")) == "Item(name='a', price=1.0)"
def test_generators():
    assert list(bank.count(3)) == [0, 1, 2]
    g = bank.count(2); assert next(g) == 0 and next(g) == 1
    with pytest.raises(StopIteration): next(g)
    f = bank.forever(); assert [next(f) for _ in range(3)] == [0, 1, 2]; f.close()
    assert inspect.isgenerator(bank.count(1)) or isinstance(bank.count(1), types.GeneratorType)
    assert sum(bank.count(4)) == 6
def test_context():
    m = bank.Managed()
    with m as x: assert x is m
    assert m.log == ["in", "out"]
    with bank.Managed() as m: raise KeyError("a")
    assert m.log == ["in", "KeyError"]
    with pytest.raises(ValueError):
        with bank.Managed(): raise ValueError
def test_callables():
    seen = []
    assert bank.apply(lambda x, k=1: x + k, 2, k=3) == 5
    assert bank.apply(seen.append, 4) is None and seen == [4]
    assert bank.apply(sorted, [3, 1]) == [1, 3]
    assert bank.apply(len, "abc") == 3
    assert bank.apply(bank.echo, 5) == 5
    assert bank.compose(lambda x: x + 1, abs)(-3) == 4
    def bad(): raise ValueError("mine")
    assert bank.catches(bad) == "caught mine"
    with pytest.raises(KeyError): bank.catches(lambda: {}["x"])
    m = mock.Mock(return_value=7); assert bank.apply(m, 1) == 7; m.assert_called_once_with(1)
    def own(): raise bank.TooPoor(1, 2)
    assert bank.catches(own).startswith("caught")
    assert bank.apply(int, "5") == 5
    assert bank.echo(iter([1, 2])) is not None and bank.apply(list, iter([1, 2])) == [1, 2]
def test_mutation():
    l = [3, 1, 2]; bank.sort_in_place(l); assert l == [1, 2, 3]
    d, s = {}, {1}; bank.grow(d, s); assert d == {"k": [1]} and s == {1, 9}
    r = [1, 2]; g = [r, [3, 4]]; bank.flip(g); assert g == [[2, 1], [4, 3]] and g[0] is r and r == [2, 1]
    l = []; assert bank.same(l) is l and l == [1]
VALUES = [None, True, 0, -1, 2**64, 10**5000, 1.5, -0.0, float("inf"), "é\n\0", "\ud800", b"\xff", bytearray(b"x"), (1, (2,)), {1, 2}, frozenset([1]), {"a": [1, {2: 3}]}, {(1, 2): "x"}, 1+2j, datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc), datetime.timedelta(1, 2, 3), datetime.time(1, 2), decimal.Decimal("1.10"), fractions.Fraction(1, 3), range(1, 9, 2), ..., collections.Counter("aab"), collections.OrderedDict(a=1), collections.deque([1], 3), [], [[[]]], 5]
@pytest.mark.parametrize("v", VALUES, ids=range(len(VALUES)))
def test_values(v):
    r = bank.echo(v); assert type(r) is type(v) and r == v
def test_nan(): assert math.isnan(bank.echo(float("nan"))); assert math.copysign(1, bank.echo(-0.0)) == -1
def test_types(): assert bank.kind(1) is int and bank.kind(bank.Vec(1, 2)) == bank.Vec and bank.echo(dict) is dict
def test_print(capsys):
    bank.hello(); assert capsys.readouterr().out == "Hello, World!\n"
    bank.hello("Bob"); print("x"); assert capsys.readouterr().out == "Hello, Bob!\nx\n"
def test_print_mock():
    with mock.patch("sys.stdout", new_callable=io.StringIO) as out: bank.hello()
    assert out.getvalue() == "Hello, World!\n"
def test_input(monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", lambda p="": "21"); bank.ask(); assert capsys.readouterr().out == "42\n"
def test_stdin(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("4\na\nb\n")); bank.ask(); assert capsys.readouterr().out == "number? 8\n"
    assert bank.ask_all() == ["a", "b"]
def test_no_input():
    with pytest.raises(EOFError): bank.ask()
def test_patch():
    with mock.patch("bank.random.randint", return_value=4): assert bank.roll() == 4
    with mock.patch.object(bank, "RATE", 9): assert bank.RATE == 9
    assert bank.RATE == 0.5
    with mock.patch("bank.roll", return_value=1): assert bank.roll() == 1
    assert bank.roll() in range(1, 7)
def test_hasattr():
    assert hasattr(bank, "hello") and not hasattr(bank, "nope") and callable(bank.hello)
    assert hasattr(Account, "deposit") and hasattr(Account("a"), "rich") and not hasattr(Account("a"), "zz")
    assert bank.hello.__doc__ == "Greet." and bank.hello.__name__ == "hello"
    assert list(inspect.signature(bank.hello).parameters) == ["name"]
    assert "print(f" in inspect.getsource(bank)
    assert inspect.isclass(Account)
    assert "hello" in dir(bank)
def test_copy(): v = Vec(1, 2); w = copy.deepcopy(v); w.x = 5; assert v.x == 1 and w == Vec(5, 2)
def test_shared_1(shared): shared.deposit(1); assert shared.balance == 2
def test_shared_2(shared): assert shared.balance == 2 and shared == Account("Mod")
def test_linked():
    n = bank.Node(1, bank.Node(2)); assert n.next.v == 2 and n.next.next is None
    m = bank.Node(3); n.next = m; assert n.next is m
def test_prop():
    t = bank.Temp(5); t.c = 7; assert t.c == 7
    with pytest.raises(ValueError, match="too cold"): t.c = -300
    with pytest.raises(AttributeError): Account("a").rich = 1
def test_reload():
    import importlib; bank.remember(1); importlib.reload(bank); assert bank.remember(1) == 1
def test_refused():
    with pytest.raises(TypeError, match="stays in the tests"): bank.echo(unittest.TestCase())
    with pytest.raises(TypeError, match="stays in the tests"): bank.echo(inspect.currentframe())
class TestU(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.a = bank.Account("cls", 5)
    def setUp(self): self.v = bank.Vec(1, 2)
    def test_a(self): self.assertEqual(self.v.x, 1); self.assertIsInstance(self.v, bank.Vec); self.a.deposit(1)
    def test_b(self): self.assertEqual(self.a.balance, 6)
    def test_c(self):
        with self.assertRaises(bank.TooPoor) as c: self.a.withdraw(99)
        self.assertEqual(c.exception.have, 6)
        with self.assertRaisesRegex(ValueError, "positive"): self.a.deposit(0)
    def test_d(self):
        for i in range(3):
            with self.subTest(i=i): self.assertEqual(bank.echo(i), i)
        self.assertAlmostEqual(bank.div(1, 3), 0.33333333)
        self.assertListEqual(bank.echo([1]), [1]); self.assertCountEqual(bank.count(2), [1, 0])
def test_skip_cannot_be_forced():
    with pytest.raises(Exception, match="no"): bank.skip()
def test_async():
    import asyncio
    assert asyncio.run(bank.later(1)) == 2
