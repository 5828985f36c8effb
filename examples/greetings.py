"""A class whose method runs in the background: nothing about it is special but its approval in wsgi.py."""


class Greeting:
    """Greets people, when there is time for it."""

    def handle(self, name: str = "world") -> str:
        """Print a greeting into the job's log, and give it back as the job's result."""
        greeting = f"Hello, {name}"
        print(greeting)  # noqa: T201 - what is printed is kept as the log of the attempt
        return greeting
