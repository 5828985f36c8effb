import io


class Broken(Exception):
    pass


class Line:
    def __init__(self, text=b"abcdef", fails=None):
        self._in, self.sent, self.fails, self.closed = io.BytesIO(text), [], fails, False

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.closed = True
        return kind is not None and "suppress" in error.args[0]

    def recv(self, size, flags=0):
        if self.fails is not None:
            raise self.fails
        if size is None:
            raise TypeError("'NoneType' object cannot be interpreted as an integer")
        return self._in.read(size)

    def send(self, data, flags=0):
        self.sent.append(data)
        return len(data)


class FileLike:
    def __init__(self, fails=True):
        self.is_open = self.was_open = self.did_something = False
        self.fails = fails

    def open(self):
        self.is_open = True

    def close(self):
        self.is_open, self.was_open = False, True

    def do_something(self):
        self.did_something = True
        if self.fails:
            raise Exception("Failed while doing something")
