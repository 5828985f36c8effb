class Element:
    def __init__(self, data):
        self.data = data
        self.link = None


class LinkedList:
    def __init__(self):
        self.first = None
        self.last = None
        self.n = 0

    def size(self):
        return self.n

    def to_list(self):
        out = []
        cur = self.first
        while cur is not None:
            out.append(cur.data)
            cur = cur.link
        return out

    def append(self, data):
        new = Element(data)
        if self.last is None:
            self.first = new
        else:
            self.last.link = new
        self.last = new
        self.n += 1

    def prepend(self, data):
        new = Element(data)
        new.link = self.first
        self.first = new
        if self.last is None:
            self.last = new
        self.n += 1

    def pop_front(self):
        if not self.n:
            raise IndexError("empty")
        old = self.first
        self.first = old.link
        if self.first is None:
            self.last = None
        self.n -= 1
        return old.data

    def find(self, data):
        i, cur = 0, self.first
        while cur is not None:
            if cur.data == data:
                return i
            i, cur = i + 1, cur.link
        return -1

    def remove(self, data):
        before, cur = None, self.first
        while cur is not None and cur.data != data:
            before, cur = cur, cur.link
        if cur is None:
            raise ValueError("not found")
        if before is None:
            self.pop_front()
            return
        before.link = cur.link
        if cur is self.last:
            self.last = before
        self.n -= 1

    def reverse(self):
        self.last = self.first
        finished = None
        while self.first is not None:
            remaining = self.first.link
            self.first.link = finished
            finished = self.first
            self.first = remaining
        self.first = finished
