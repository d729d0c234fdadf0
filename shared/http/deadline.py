"""How long a request may take: longer means that it waits for something that is away."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from starlette.requests import HTTPConnection

LOOK_EVERY_S = 0.1


class Late(Protocol):
    """A request that can be answered while its task is still busy giving up."""

    def give_up(self) -> Coroutine[Any, Any, None]:
        """Answer that a dependency is away, unless an answer is on its way already."""


class Deadline:
    """The deadline of one request, in seconds of the event loop's clock."""

    __slots__ = ("at", "late", "passed", "task")

    def __init__(self, task: "asyncio.Task[Any]", at: float, late: Late) -> None:
        self.task = task
        self.at = at
        self.late = late
        self.passed = False


class Deadlines:
    """Watches all requests of a process with one timer: a timer per request would cost each several microseconds.

    A request past its deadline is answered at once and its task cancelled. The two are apart, because a task that
    waits for a frozen server may take seconds more to let go of its connection.
    """

    def __init__(self) -> None:
        self._pending: set[Deadline] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def open(self, seconds: float, late: Late) -> Deadline:
        """Give up on the current task unless the deadline is closed within `seconds`."""
        task = asyncio.current_task()
        assert task is not None
        loop = task.get_loop()
        deadline = Deadline(task, loop.time() + seconds, late)
        self._pending.add(deadline)
        if self._timer is None:
            self._timer = loop.call_later(LOOK_EVERY_S, self._look, loop)
        return deadline

    def close(self, deadline: Deadline) -> None:
        """The request is answered."""
        self._pending.discard(deadline)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for deadline in [each for each in self._pending if each.at <= now]:
            self._pending.discard(deadline)
            deadline.passed = True
            answer = loop.create_task(deadline.late.give_up())
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)
            deadline.task.cancel()
        self._timer = loop.call_later(LOOK_EVERY_S, self._look, loop) if self._pending else None


def extend_deadline(request: HTTPConnection, seconds: float) -> None:
    """Let this request take `seconds` from now on. For routes that compute over history, such as a dry run."""
    deadline: Deadline = request.scope["regulars.deadline"]
    deadline.at = asyncio.get_running_loop().time() + seconds
