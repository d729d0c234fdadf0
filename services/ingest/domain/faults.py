"""What is wrong with an event, and where."""

from collections.abc import Iterable

from msgspec import Struct


class Fault(Struct, frozen=True):
    """One thing wrong: `pointer` (RFC 6901) leads to the place, `code` is stable, `detail` is for people."""

    pointer: str
    code: str
    detail: str


def pointer_to(parent: str, step: str | int) -> str:
    """The JSON pointer one step below another."""
    return f"{parent}/{str(step).replace('~', '~0').replace('/', '~1')}"


def below(prefix: str, faults: Iterable[Fault]) -> list[Fault]:
    """The same faults, seen from an object that holds the event at `prefix`."""
    return [Fault(prefix + fault.pointer, fault.code, fault.detail) for fault in faults]
