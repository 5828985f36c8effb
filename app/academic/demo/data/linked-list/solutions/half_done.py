class Node:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next


class LinkedList:
    """A singly linked list."""

    def __init__(self):
        self.head = None

    def size(self):
        n = 0
        node = self.head
        while node:
            n += 1
            node = node.next
        return n

    def to_list(self):
        node = self.head
        r = []
        for _ in range(self.size()):
            r.append(node.value)
            node = node.next
        return r

    def prepend(self, value):
        self.head = Node(value, self.head)

    def append(self, value):
        if not self.head:
            return self.prepend(value)
        node = self.head
        while node.next:
            node = node.next
        node.next = Node(value)
