class _Node:
    __slots__ = ("value", "after")

    def __init__(self, value=None, after=None):
        self.value, self.after = value, after


class LinkedList:
    """A sentinel in front makes every node have a predecessor."""

    def __init__(self):
        self._front = _Node()

    def __iter__(self):
        at = self._front.after
        while at is not None:
            yield at.value
            at = at.after

    def _before(self, wanted):
        at = self._front
        while at.after is not None:
            if wanted(at.after):
                return at
            at = at.after
        return at

    def append(self, value):
        self._before(lambda node: False).after = _Node(value)

    def prepend(self, value):
        self._front.after = _Node(value, self._front.after)

    def pop_front(self):
        first = self._front.after
        if first is None:
            raise IndexError("pop_front on an empty list")
        self._front.after = first.after
        return first.value

    def remove(self, value):
        before = self._before(lambda node: node.value == value)
        if before.after is None:
            raise ValueError(f"cannot remove {value!r}")
        before.after = before.after.after

    def find(self, value):
        return next((i for i, v in enumerate(self) if v == value), -1)

    def reverse(self):
        turned = LinkedList()
        for value in self:
            turned.prepend(value)
        self._front = turned._front

    def to_list(self):
        return list(self)

    def size(self):
        return len(self.to_list())
