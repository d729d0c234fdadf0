"""Structured logs: one JSON object a line on standard output, for structlog and the standard library alike."""

import logging
import sys
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from time import time
from typing import Any

import msgspec
import structlog

from shared.telemetry.context import current_key_id, current_request_id
from shared.telemetry.scrub import scrub_event, scrub_message

FRAMES_MAX = 40
CAUSES_MAX = 5

Event = MutableMapping[str, Any]
Processor = Callable[[Any, str, Any], Any]

_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure(service: str, level: str = "info") -> None:
    """Send every log line of this process to standard output as JSON, from `level` on.

    A line has `time`, `level`, `service`, `event`, and the ids of the request and of the events being handled
    (bind the latter with `structlog.contextvars.bound_contextvars(event_ids=…)`). May be called again.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_context,
        structlog.stdlib.add_log_level,
        _stamp(service),
        _describe_exception,
        scrub_event,
    ]
    structlog.configure(
        processors=[*common, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: LineLogger(),
        cache_logger_on_first_use=False,
    )
    handler = _LineHandler([*common, _render])
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name, least in _QUIET.items():
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(max(number, least))


_QUIET = {
    "uvicorn": logging.INFO,
    "uvicorn.error": logging.INFO,
    "uvicorn.access": logging.CRITICAL,  # the boundary writes its own, without addresses and identifiers
    "alembic": logging.INFO,
    "aiokafka": logging.WARNING,
    "kafka": logging.CRITICAL,
    "httpx": logging.WARNING,
    "asyncio": logging.WARNING,
}


class LineLogger:
    """Where structlog hands its finished lines: standard output as it is at that moment."""

    def msg(self, line: bytes) -> None:
        """Write one line."""
        write_lines(line)

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = msg


def write_lines(lines: bytes) -> None:
    """Write finished lines (each ending in a newline) to standard output at once."""
    stream = sys.stdout
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # replaced by something that takes text only
        stream.write(lines.decode())
    else:
        buffer.write(lines)
    stream.flush()


class _LineHandler(logging.Handler):
    """Sends what the standard library logs through the same processors."""

    def __init__(self, processors: list[Processor]) -> None:
        super().__init__()
        self._processors = processors

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as one JSON line; its arguments are in the message, its exception described."""
        try:
            event: Any = {"event": record.getMessage(), "logger": record.name}
            if record.exc_info:
                event["exc_info"] = record.exc_info
            for processor in self._processors:
                event = processor(None, record.levelname.lower(), event)
            write_lines(event)
        except Exception:  # noqa: BLE001  # a line that cannot be written must not stop the work it speaks of
            self.handleError(record)


_second = 0
_second_text = ""


def now_text() -> str:
    """The present moment as log lines show it, in UTC to the millisecond."""
    global _second, _second_text  # the text of a second is made once, not for every line
    now = time()
    second = int(now)
    if second != _second:
        _second, _second_text = second, datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{_second_text}.{int((now - second) * 1000):03d}Z"


def _stamp(service: str) -> Processor:
    def stamp(_: object, __: str, event: Event) -> Event:
        return {"time": now_text(), "level": event.pop("level"), "service": service, **event}

    return stamp


def _add_context(_: object, __: str, event: Event) -> Event:
    request_id = current_request_id()
    if request_id is not None:
        event.setdefault("request_id", request_id)
        key_id = current_key_id()
        if key_id is not None:
            event.setdefault("key_id", key_id)
    return event


def _describe_exception(_: object, __: str, event: Event) -> Event:
    """Replace `exc_info` by the exception's types, scrubbed messages and frames (places, no values)."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    error = (
        info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else sys.exc_info()[1]
    )
    if error is not None:
        event["exception"] = describe(error)
    return event


def describe(error: BaseException) -> list[dict[str, Any]]:
    """The exception and what caused it, nearest first: `type`, `message` without values, `frames` innermost last."""
    chain: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(chain) < CAUSES_MAX:
        walk = traceback.walk_tb(current.__traceback__)
        frames = traceback.StackSummary.extract(walk, lookup_lines=False)[-FRAMES_MAX:]
        kind = type(current)
        chain.append(
            {
                "type": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
                "message": scrub_message(str(current)),
                "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
            }
        )
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def _render(_: object, __: str, event: Event) -> bytes:
    return _encode(event) + b"\n"
