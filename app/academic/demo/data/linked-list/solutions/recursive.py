class Empty:
    def append(self, value):
        return Link(value, self)

    def remove(self, value):
        raise ValueError("value not in list")

    def find(self, value, position):
        return -1

    def collect(self, into):
        return into


class Link:
    def __init__(self, value, rest):
        self.value = value
        self.rest = rest

    def append(self, value):
        self.rest = self.rest.append(value)
        return self

    def remove(self, value):
        if self.value == value:
            return self.rest
        self.rest = self.rest.remove(value)
        return self

    def find(self, value, position):
        return position if self.value == value else self.rest.find(value, position + 1)

    def collect(self, into):
        into.append(self.value)
        return self.rest.collect(into)


class LinkedList:
    def __init__(self):
        self.start = Empty()

    def append(self, value):
        self.start = self.start.append(value)

    def prepend(self, value):
        self.start = Link(value, self.start)

    def pop_front(self):
        if isinstance(self.start, Empty):
            raise IndexError("list is empty")
        value = self.start.value
        self.start = self.start.rest
        return value

    def remove(self, value):
        self.start = self.start.remove(value)

    def find(self, value):
        return self.start.find(value, 0)

    def reverse(self):
        values = self.to_list()
        self.start = Empty()
        for value in values:
            self.prepend(value)

    def to_list(self):
        return self.start.collect([])

    def size(self):
        return len(self.to_list())
