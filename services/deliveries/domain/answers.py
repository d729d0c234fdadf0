"""What a provider said when it was given a message."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Sent:
    """It took the message, and answers for it from now on."""

    reference: str | None = None
    """What the provider calls it, if it said so."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never take this message for this address: trying again is of no use. The provider itself is well."""

    reason: str
    """A stable code, such as `no_such_address`; never the address or what was said in it."""
    detail: str | None = None
    """The provider's codes, such as `550 5.1.1`; no free text, which may quote the address."""
    suppress: bool = False
    """The address itself is dead: nothing more is sent to it, by whatever campaign."""


@dataclass(frozen=True, slots=True)
class Again:
    """It did not take the message now, or nobody knows whether it did: the same message is tried again later."""

    reason: str
    """A stable code, such as `timed_out`."""
    detail: str | None = None
    at_fault: bool = True
    """Whether the provider is in trouble (it feeds the circuit breaker, and costs the message no attempt); otherwise it
    put off this message alone."""
    after: timedelta = timedelta(0)
    """How long the provider asked us to wait."""


Answer = Sent | Refused | Again
