"""Properties of relations, their closure and their classes."""

import unittest

import relations

SAME_PARITY = [[1, 1], [2, 2], [3, 3], [4, 4], [1, 3], [3, 1], [2, 4], [4, 2]]
LESS = [[1, 2], [1, 3], [2, 3]]


class PropertiesTest(unittest.TestCase):
    """What can be read off the pairs."""

    def test_reflexive(self):
        """Every element of the set must be there, not only those in pairs."""
        self.assertIs(True, relations.is_reflexive(SAME_PARITY, [1, 2, 3, 4]))
        self.assertIs(False, relations.is_reflexive(SAME_PARITY, [1, 2, 3, 4, 5]))

    def test_symmetric(self):
        """Every pair has its mirror image."""
        self.assertIs(True, relations.is_symmetric(SAME_PARITY))
        self.assertIs(False, relations.is_symmetric(LESS))

    def test_transitive(self):
        """Two steps are one step."""
        self.assertIs(True, relations.is_transitive(LESS))
        self.assertIs(False, relations.is_transitive([[1, 2], [2, 3]]))

    def test_empty(self):
        """The empty relation is symmetric and transitive."""
        self.assertTrue(relations.is_symmetric([]))
        self.assertTrue(relations.is_transitive([]))

    def test_equivalence(self):
        """All three properties together."""
        self.assertTrue(relations.is_equivalence(SAME_PARITY, [1, 2, 3, 4]))
        self.assertFalse(relations.is_equivalence(LESS, [1, 2, 3]))


class ClosureTest(unittest.TestCase):
    """The transitive closure."""

    def test_chain(self):
        """A chain becomes an order."""
        self.assertEqual(
            [[1, 2], [1, 3], [1, 4], [2, 3], [2, 4], [3, 4]],
            relations.transitive_closure([[1, 2], [2, 3], [3, 4]]),
        )

    def test_circle(self):
        """In a circle everything reaches everything."""
        self.assertEqual(
            [[1, 1], [1, 2], [2, 1], [2, 2]], relations.transitive_closure([[1, 2], [2, 1]])
        )


class ClassesTest(unittest.TestCase):
    """Equivalence classes."""

    def test_classes(self):
        """Related elements share a class."""
        self.assertEqual([[1, 3], [2, 4]], relations.classes(SAME_PARITY, [1, 2, 3, 4]))

    def test_refuses(self):
        """Only an equivalence has classes."""
        with self.assertRaises(ValueError):
            relations.classes(LESS, [1, 2, 3])
