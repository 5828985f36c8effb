class N:
    def __init__(self, v):
        self.v = v
        self.n = None

class LinkedList:
    def __init__(self):
        self.h = None

    def append(self, v):
        if self.h == None:
            self.h = N(v)
        else:
            p = self.h
            while p.n != None:
                p = p.n
            p.n = N(v)

    def prepend(self, v):
        x = N(v)
        x.n = self.h
        self.h = x

    def pop_front(self):
        if self.h == None:
            return None
        v = self.h.v
        self.h = self.h.n
        return v

    def remove(self, v):
        p = self.h
        while p != None and p.n != None:
            if p.n.v == v:
                p.n = p.n.n
                break
            p = p.n

    def find(self, v):
        i = 0
        p = self.h
        while p != None:
            if p.v == v:
                return i
            i = i + 1
            p = p.n
        return -1

    def to_list(self):
        l = []
        p = self.h
        while p != None:
            l.append(p.v)
            p = p.n
        return l

    def size(self):
        return len(self.to_list())

    def reverse(self):
        l = self.to_list()
        self.h = None
        for v in l:
            self.prepend(v)
