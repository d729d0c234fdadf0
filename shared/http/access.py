"""The access log: one line a request, without addresses, identifiers or queries, which may be personal."""

import asyncio

import msgspec

from shared.telemetry.context import current_key_id
from shared.telemetry.logs import now_text, write_lines

FLUSH_S = 0.1
LINES_MAX = 500

_encode = msgspec.json.Encoder().encode


class AccessLog:
    """Collects lines and writes them together, at most `FLUSH_S` late: a write per request would cost more than
    everything else at the edge."""

    def __init__(self, service: str, *, enabled: bool = True) -> None:
        self._service = service
        self._enabled = enabled
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, request_id: str, method: str, route: str, status: int, seconds: float) -> None:
        """Note one answered request: the template of its route, not its path."""
        if not self._enabled:
            return
        line = {
            "time": now_text(),
            "level": "info",
            "service": self._service,
            "event": "request",
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
        }
        key_id = current_key_id()
        if key_id is not None:
            line["key_id"] = key_id
        self._lines.append(_encode(line))
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
            write_lines(b"\n".join(lines) + b"\n")
