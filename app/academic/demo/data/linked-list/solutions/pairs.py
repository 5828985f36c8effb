# A node is a two-element list: [value, next node].


class LinkedList:
    def __init__(self):
        self.root = None

    def append(self, value):
        if self.root is None:
            self.root = [value, None]
            return
        cell = self.root
        while cell[1]:
            cell = cell[1]
        cell[1] = [value, None]

    def prepend(self, value):
        self.root = [value, self.root]

    def pop_front(self):
        if self.root is None:
            raise IndexError
        value, self.root = self.root
        return value

    def remove(self, value):
        if self.root is None:
            raise ValueError(value)
        if self.root[0] == value:
            self.root = self.root[1]
            return
        cell = self.root
        while cell[1]:
            if cell[1][0] == value:
                cell[1] = cell[1][1]
                return
            cell = cell[1]
        raise ValueError(value)

    def find(self, value):
        cell, n = self.root, 0
        while cell:
            if cell[0] == value:
                return n
            cell, n = cell[1], n + 1
        return -1

    def reverse(self):
        new = None
        while self.root:
            new = [self.root[0], new]
            self.root = self.root[1]
        self.root = new

    def to_list(self):
        cell, result = self.root, []
        while cell:
            result += [cell[0]]
            cell = cell[1]
        return result

    def size(self):
        cell, n = self.root, 0
        while cell:
            cell, n = cell[1], n + 1
        return n
