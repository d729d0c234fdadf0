"""What is known about the work at hand, for every log line and problem written while it lasts."""

from contextvars import ContextVar
from random import getrandbits

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_key_id: ContextVar[str | None] = ContextVar("key_id", default=None)

bind_request_id = _request_id.set
"""Set the id of the request that this task answers."""

current_request_id = _request_id.get
"""The id of the request being answered, if any."""

bind_key_id = _key_id.set
"""Set the id (not the token) of the API key that this request came with."""

current_key_id = _key_id.get
"""The id of the API key of the request being answered, once it is known."""


def new_request_id() -> str:
    """An id for a request that came without one."""
    return f"{getrandbits(96):024x}"
