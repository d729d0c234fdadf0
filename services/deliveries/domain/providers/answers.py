"""What a provider said when it was given a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has taken it on. `reference` is its name for it, if it gave one."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will not take it, now or later. `suppress`: the address itself is no good (a hard bounce).

    `code` is one of ours and stays, such as `no_such_address`; `detail` the provider's own codes, such as `550 5.1.1`,
    never its words, which may quote the address.
    """

    code: str
    detail: str = ""
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Not now, or nobody knows: to be tried again. `after_s` is what the provider asked for, if it did. `down`: the
    fault is the provider's (or our settings') and not the message's, and costs it no attempt."""

    code: str
    detail: str = ""
    after_s: float | None = None
    down: bool = False


Receipt = Sent | Refused | Again
