"""The cart's tests, as the course has used them with Gradescope."""

import unittest

from gradescope_utils.autograder_utils.decorators import number, visibility, weight

from cart import Cart


class TestCart(unittest.TestCase):
    """A cart counts, sums, discounts and refuses."""

    @weight(5)
    @number("1")
    def test_empty(self):
        """A new cart is empty."""
        cart = Cart()
        self.assertEqual(cart.count(), 0)
        self.assertEqual(cart.total(), 0)

    @weight(10)
    @number("2")
    def test_add(self):
        """Adding sums price times quantity."""
        cart = Cart()
        cart.add("tea", 450)
        cart.add("cup", 799, 3)
        self.assertEqual(cart.count(), 4)
        self.assertEqual(cart.total(), 2847)

    @weight(5)
    @number("3")
    def test_add_again(self):
        """The same article again adds up at the newer price."""
        cart = Cart()
        cart.add("tea", 450)
        cart.add("tea", 500, 2)
        self.assertEqual(cart.count(), 3)
        self.assertEqual(cart.total(), 1500)

    @weight(5)
    @number("4")
    def test_remove(self):
        """Removing takes all of an article."""
        cart = Cart()
        cart.add("tea", 450, 2)
        cart.add("cup", 799)
        cart.remove("tea")
        self.assertEqual(cart.total(), 799)

    @weight(5)
    @number("5")
    def test_remove_unknown(self):
        """What is not there cannot be removed."""
        cart = Cart()
        with self.assertRaises(KeyError):
            cart.remove("sofa")

    @weight(5)
    @number("6")
    def test_refuses_bad_values(self):
        """Negative prices and quantities below one are refused."""
        cart = Cart()
        with self.assertRaises(ValueError):
            cart.add("tea", -1)
        with self.assertRaises(ValueError):
            cart.add("tea", 450, 0)

    @weight(5)
    @number("7")
    def test_ten_per_cent(self):
        """TEN takes off a tenth, rounded down."""
        cart = Cart()
        cart.add("pen", 199)
        cart.apply("TEN")
        self.assertEqual(cart.total(), 180)

    @weight(5)
    @number("8")
    def test_five_off(self):
        """FIVEOFF never makes the total negative."""
        cart = Cart()
        cart.add("pen", 199)
        cart.apply("FIVEOFF")
        self.assertEqual(cart.total(), 0)
        cart.add("book", 2000)
        self.assertEqual(cart.total(), 1699)

    @weight(5)
    @number("9")
    @visibility("after_due_date")
    def test_codes(self):
        """The last code counts and an unknown one is refused."""
        cart = Cart()
        cart.add("book", 2000)
        cart.apply("FIVEOFF")
        cart.apply("TEN")
        self.assertEqual(cart.total(), 1800)
        with self.assertRaises(ValueError):
            cart.apply("FREE")
