class Node:
    def __init__(self, owner, value):
        self.owner, self.value = owner, value
        self.left = self.right = self

    def insert_before(self, other):
        self.left, self.right = other.left, other
        other.left.right = self
        other.left = self

    def unlink(self):
        self.left.right, self.right.left = self.right, self.left


class LinkedList:
    """A ring of nodes in both directions through one node without a value."""

    def __init__(self):
        self.ring = Node(self, None)

    def walk(self):
        node = self.ring.right
        while node is not self.ring:
            yield node
            node = node.right

    def append(self, value):
        Node(self, value).insert_before(self.ring)

    def prepend(self, value):
        Node(self, value).insert_before(self.ring.right)

    def pop_front(self):
        first = self.ring.right
        if first is self.ring:
            raise IndexError("empty ring")
        first.unlink()
        return first.value

    def remove(self, value):
        for node in self.walk():
            if node.value == value:
                return node.unlink()
        raise ValueError(value)

    def find(self, value):
        for i, node in enumerate(self.walk()):
            if node.value == value:
                return i
        return -1

    def reverse(self):
        nodes = [self.ring, *self.walk()]
        for node in nodes:
            node.left, node.right = node.right, node.left

    def to_list(self):
        return [node.value for node in self.walk()]

    def size(self):
        return sum(1 for _ in self.walk())
