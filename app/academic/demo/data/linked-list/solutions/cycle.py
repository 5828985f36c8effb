class Item:
    def __init__(self, content):
        self.content = content
        self.following = None


class LinkedList:
    def __init__(self):
        self.anchor = None
        self.counter = 0

    def append(self, value):
        self.counter += 1
        if self.anchor is None:
            self.anchor = Item(value)
            return
        item = self.anchor
        while item.following is not None:
            item = item.following
        item.following = Item(value)

    def prepend(self, value):
        self.counter += 1
        item = Item(value)
        item.following = self.anchor
        self.anchor = item

    def pop_front(self):
        if self.counter == 0:
            raise IndexError("nothing left")
        self.counter -= 1
        item = self.anchor
        self.anchor = item.following
        return item.content

    def remove(self, value):
        if self.find(value) == -1:
            raise ValueError("nothing to remove")
        self.counter -= 1
        if self.anchor.content == value:
            self.anchor = self.anchor.following
            return
        item = self.anchor
        while item.following.content != value:
            item = item.following
        item.following = item.following.following

    def find(self, value):
        where = 0
        item = self.anchor
        while item is not None:
            if item.content == value:
                return where
            where += 1
            item = item.following
        return -1

    def reverse(self):
        # every item points back at the one before
        before = self.anchor
        item = before.following
        while item is not None:
            after = item.following
            item.following = before
            before = item
            item = after
        self.anchor = before

    def to_list(self):
        answer = []
        item = self.anchor
        while item is not None:
            answer.append(item.content)
            item = item.following
        return answer

    def size(self):
        return self.counter
