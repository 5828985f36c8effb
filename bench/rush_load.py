"""The load of a deadline: when each student hands in what, and what came back, by the clock of the plan."""

from __future__ import annotations

import http.client
import queue
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.rush_site import Student

THREADS: Final = 64
TIMEOUT_SECONDS: Final = 60.0
# Of all attempts so many come in the last tenth of the time: the peak that people make at deadlines.
PEAK_SHARE: Final = 0.5625
PEAK_TIME: Final = 0.1
# As many as the site takes of one student within an hour.
FLOOD: Final = 20
_BOUNDARY: Final = "rush-of-the-deadline"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One hand-in: when, by whom, and the bytes."""

    at: float
    student: int
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the site said: the time counts from when it was due to be sent, as the student feels it."""

    at: float
    student: int
    status: int
    seconds: float


def plan(
    students: int, attempts: int, seconds: float, works: Sequence[bytes], *, seed: int = 7
) -> list[Attempt]:
    """Spread the attempts over the time; the last student floods, once a second from the middle on."""
    chance = random.Random(seed)  # noqa: S311 - spreads load, keeps no secret
    found = []
    for student in range(students - 1):
        times = sorted(_moment(chance, seconds) for _ in range(attempts))
        found += [_attempt(at, student, chance.choice(works)) for at in times]
    step = min(1.0, seconds / 2 / FLOOD)
    flood = (seconds / 2 + step * number for number in range(FLOOD))
    found += [_attempt(at, students - 1, works[0]) for at in flood]
    return sorted(found, key=lambda each: each.at)


def send(port: int, assignment: int, people: Sequence[Student], attempts: Sequence[Attempt]) -> list[Answer]:
    """Send every attempt at its time, whatever the answers to others take; and give all answers."""
    waiting: queue.SimpleQueue[Attempt | None] = queue.SimpleQueue()
    answers: list[Answer] = []
    begin = time.monotonic()

    def sender() -> None:
        while (each := waiting.get()) is not None:
            status = _post(port, assignment, people[each.student], each.content)
            seconds = time.monotonic() - begin - each.at
            answers.append(Answer(at=each.at, student=each.student, status=status, seconds=seconds))

    threads = [threading.Thread(target=sender) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for each in attempts:
        time.sleep(max(0.0, begin + each.at - time.monotonic()))
        waiting.put(each)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    return answers


def _moment(chance: random.Random, seconds: float) -> float:
    if chance.random() < PEAK_SHARE:
        return seconds * (1 - PEAK_TIME * chance.random())
    return seconds * (1 - PEAK_TIME) * chance.random()


def _attempt(at: float, student: int, work: bytes) -> Attempt:
    # No two are the same bytes: the site would keep those once.
    return Attempt(at=at, student=student, content=work + f"\n# {student} at {at:.6f}\n".encode())


def _post(port: int, assignment: int, student: Student, content: bytes) -> int:
    """Give the status of the answer; 0 when there was none."""
    parts = [
        ('name="csrf_token"', student.token.encode()),
        ('name="file"; filename="primes.py"', content),
    ]
    body = b"".join(
        b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n"
        % (_BOUNDARY.encode(), head.encode(), value)
        for head, value in parts
    )
    headers = {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Cookie": student.cookie,
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            "POST",
            f"/assignments/{assignment}/hand-in",
            body + f"--{_BOUNDARY}--\r\n".encode(),
            headers,
        )
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
