"""How long a request may take: longer means that it waits for something that is away."""

import asyncio
from typing import Any

from starlette.requests import HTTPConnection

LOOK_EVERY_S = 0.1


class Deadline:
    """The deadline of one request, in seconds of the event loop's clock."""

    __slots__ = ("at", "passed", "task")

    def __init__(self, task: "asyncio.Task[Any]", at: float) -> None:
        self.task = task
        self.at = at
        self.passed = False


class Deadlines:
    """Watches all requests of a process with one timer: a timer per request would cost each several microseconds."""

    def __init__(self) -> None:
        self._pending: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None

    def open(self, seconds: float) -> Deadline:
        """Cancel the current task (with `passed` set) unless the deadline is closed within `seconds`."""
        task = asyncio.current_task()
        assert task is not None
        loop = task.get_loop()
        deadline = Deadline(task, loop.time() + seconds)
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
            deadline.task.cancel()
        self._timer = loop.call_later(LOOK_EVERY_S, self._look, loop) if self._pending else None


def extend_deadline(request: HTTPConnection, seconds: float) -> None:
    """Let this request take `seconds` from now on. For routes that compute over history, such as a dry run."""
    deadline: Deadline = request.scope["regulars.deadline"]
    deadline.at = asyncio.get_running_loop().time() + seconds
