"""The access log: one line a request, without addresses, identifiers or queries, which may be personal."""

import asyncio

import msgspec

from shared.telemetry.context import current_key_id
from shared.telemetry.logs import now_text, write_lines

FLUSH_S = 0.1
LINES_MAX = 500


class AccessLog:
    """Collects lines and writes them together, at most `FLUSH_S` late: a write per request would cost more than
    everything else at the edge."""

    def __init__(self, service: str, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._service = service
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def kind(self, method: str, route: str, status: int) -> str:
        """The part of the line that all requests of a kind share. `route` is the template, not the path."""
        shared = {
            "level": "info",
            "service": self._service,
            "event": "request",
            "method": method,
            "route": route,
            "status": status,
        }
        return msgspec.json.encode(shared).decode()[1:-1]

    def add(self, kind: str, request_id: str, seconds: float) -> None:
        """Note one answered request. `request_id` holds no character that JSON would escape."""
        if not self._enabled:
            return
        key_id = current_key_id()
        key = "" if key_id is None else f',"key_id":"{key_id}"'
        self._lines.append(
            f'{{"time":"{now_text()}",{kind},"ms":{seconds * 1000:.2f},"request_id":"{request_id}"{key}}}\n'
        )
        if len(self._lines) >= LINES_MAX:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self.flush)

    def flush(self) -> None:
        """Write what has been collected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines:
            lines, self._lines = self._lines, []
            write_lines("".join(lines).encode())
