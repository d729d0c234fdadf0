"""How long a request may take."""

import asyncio

from starlette.requests import HTTPConnection


def extend_deadline(request: HTTPConnection, seconds: float) -> None:
    """Let this request take `seconds` from now on. For routes that compute over history, such as a dry run."""
    deadline: asyncio.Timeout = request.scope["regulars.deadline"]
    deadline.reschedule(asyncio.get_running_loop().time() + seconds)
