class Node:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next


class LinkedList:
    """A singly linked list."""

    def __init__(self):
        self.head = None

    def _nodes(self):
        node = self.head
        while node:
            yield node
            node = node.next

    def to_list(self):
        return [node.value for node in self._nodes()]

    def size(self):
        return sum(1 for _ in self._nodes())

    def prepend(self, value):
        self.head = Node(value, self.head)

    def append(self, value):
        last = None
        for last in self._nodes():
            pass
        if last is None:
            self.prepend(value)
        else:
            last.next = Node(value)

    def pop_front(self):
        if self.head is None:
            raise IndexError("the list is empty")
        value, self.head = self.head.value, self.head.next
        return value

    def remove(self, value):
        before = None
        for node in self._nodes():
            if node.value == value:
                if before is None:
                    self.head = node.next
                else:
                    before.next = node.next
                return
            before = node
        raise ValueError(f"{value!r} is not in the list")

    def find(self, value):
        for position, node in enumerate(self._nodes()):
            if node.value == value:
                return position
        return -1

    def reverse(self):
        turned, node = None, self.head
        while node:
            node.next, turned, node = turned, node, node.next
        self.head = turned
