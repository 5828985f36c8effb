class Node:
    def __init__(self, value):
        self.value = value
        self.next = None


class LinkedList:
    def __init__(self):
        self.head = None
        self.tail = None
        self.length = 0

    def append(self, value):
        node = Node(value)
        if self.tail is None:
            self.head = node
        else:
            self.tail.next = node
        self.tail = node
        self.length += 1

    def prepend(self, value):
        node = Node(value)
        node.next = self.head
        self.head = node
        if self.tail is None:
            self.tail = node
        self.length += 1

    def pop_front(self):
        if not self.length:
            raise IndexError("pop from an empty list")
        node = self.head
        self.head = node.next
        if self.head is None:
            self.tail = None
        self.length -= 1
        return node.value

    def remove(self, value):
        previous, node = None, self.head
        while node is not None and node.value != value:
            previous, node = node, node.next
        if node is None:
            raise ValueError("no such value")
        if previous is None:
            self.pop_front()
            return
        previous.next = node.next
        if node is self.tail:
            self.tail = previous
        self.length -= 1

    def find(self, value):
        index, node = 0, self.head
        while node is not None:
            if node.value == value:
                return index
            index, node = index + 1, node.next
        return -1

    def reverse(self):
        self.tail = self.head
        done = None
        while self.head is not None:
            rest = self.head.next
            self.head.next = done
            done = self.head
            self.head = rest
        self.head = done

    def to_list(self):
        values = []
        node = self.head
        while node is not None:
            values.append(node.value)
            node = node.next
        return values

    def size(self):
        return self.length
