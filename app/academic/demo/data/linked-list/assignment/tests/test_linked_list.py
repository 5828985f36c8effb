"""What a linked list must do."""

import unittest

from linked_list import LinkedList


def filled(*values):
    made = LinkedList()
    for value in values:
        made.append(value)
    return made


class AddingTest(unittest.TestCase):
    """Values go in at both ends."""

    def test_starts_empty(self):
        """A new list holds nothing."""
        self.assertEqual([], LinkedList().to_list())
        self.assertEqual(0, LinkedList().size())

    def test_append(self):
        """Appended values keep their order."""
        self.assertEqual([3, 1, 2], filled(3, 1, 2).to_list())

    def test_prepend(self):
        """A prepended value comes first."""
        made = filled(2)
        made.prepend(1)
        self.assertEqual([1, 2], made.to_list())
        self.assertEqual(2, made.size())


class RemovingTest(unittest.TestCase):
    """Values come out again, or an error says why not."""

    def test_pop_front(self):
        """The first value comes out first."""
        made = filled("a", "b")
        self.assertEqual("a", made.pop_front())
        self.assertEqual(["b"], made.to_list())

    def test_pop_empty(self):
        """Nothing can be taken from an empty list."""
        with self.assertRaises(IndexError):
            LinkedList().pop_front()

    def test_remove(self):
        """Only the first of equal values is removed, wherever it is."""
        made = filled(1, 2, 3, 2)
        made.remove(2)
        self.assertEqual([1, 3, 2], made.to_list())
        made.remove(1)
        self.assertEqual([3, 2], made.to_list())

    def test_remove_last_then_append(self):
        """After the last node is removed the end is still found."""
        made = filled(1, 2)
        made.remove(2)
        made.append(9)
        self.assertEqual([1, 9], made.to_list())

    def test_remove_unknown(self):
        """What is not there cannot be removed."""
        with self.assertRaises(ValueError):
            filled(1).remove(5)


class LookingTest(unittest.TestCase):
    """Positions and order."""

    def test_find(self):
        """Positions count from zero, -1 means not there."""
        made = filled("x", "y", "z")
        self.assertEqual(2, made.find("z"))
        self.assertEqual(-1, made.find("q"))

    def test_reverse(self):
        """Reversing turns the list round and it can still grow."""
        made = filled(1, 2, 3)
        made.reverse()
        made.append(0)
        self.assertEqual([3, 2, 1, 0], made.to_list())
