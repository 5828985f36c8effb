class Node:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next


class LinkedList:
    def __init__(self):
        self.head = None
        self.end = None

    def append(self, value):
        new_node = Node(value)
        if self.head is None:
            self.head = self.end = new_node
        else:
            self.end.next = new_node
            self.end = new_node

    def prepend(self, value):
        self.head = Node(value, self.head)
        if self.end is None:
            self.end = self.head

    def pop_front(self):
        if self.head is None:
            raise IndexError("empty list")
        result = self.head.value
        self.head = self.head.next
        return result

    def remove(self, value):
        if self.head is None:
            raise ValueError("empty list")
        if self.head.value == value:
            self.head = self.head.next
            return
        current = self.head
        while current.next is not None:
            if current.next.value == value:
                current.next = current.next.next
                return
            current = current.next
        raise ValueError("value not found")

    def find(self, value):
        current = self.head
        count = 0
        while current is not None:
            if current.value == value:
                return count
            count += 1
            current = current.next
        return -1

    def reverse(self):
        new_head = None
        current = self.head
        while current is not None:
            new_head = Node(current.value, new_head)
            current = current.next
        self.head = new_head

    def to_list(self):
        result = []
        current = self.head
        while current is not None:
            result.append(current.value)
            current = current.next
        return result

    def size(self):
        return len(self.to_list())
