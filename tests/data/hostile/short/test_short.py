import unittest
import solution


class TestShort(unittest.TestCase):
    def test_add(self): self.assertEqual(solution.add(2, 3), 5)
    def test_mean(self): self.assertEqual(solution.mean([1, 2, 3, 4]), 2.5)
