"""Whether somebody may be written to: consent by channel and purpose.

The shop names its consents as it likes; the words of a name tell what it is about. `email` speaks of one channel,
`marketing` of one purpose, `sms.marketing` or `marketing_sms` of both at once. A name without such a word (`terms`,
`profiling`) says nothing about messages.
"""

from collections.abc import Iterable

from services.deliveries.domain.channels import Channel, Purpose
from shared.contracts.consents import CHANNELS, PURPOSES, words_of
from shared.program.model.program import ConsentRule

assert frozenset(Channel) == CHANNELS
assert frozenset(Purpose) == PURPOSES


def may_write(
    consents: Iterable[str], withdrawn: Iterable[str], channel: Channel, purpose: Purpose, rule: ConsentRule
) -> bool:
    """Whether a message of this purpose may go by this channel to who gave and withdrew these consents.

    What was withdrawn counts more than what was given. Service needs no consent, and keeps to what was withdrawn.
    """
    if any(speaks_of(name, channel, purpose) for name in withdrawn):
        return False
    if purpose is Purpose.SERVICE or rule == "unless_withdrawn":
        return True
    return any(speaks_of(name, channel, purpose) for name in consents)


def speaks_of(name: str, channel: Channel, purpose: Purpose) -> bool:
    """Whether a consent of this name is about such messages, among others."""
    channels, purposes = words_of(name)
    if not channels and not purposes:
        return False
    return (not channels or channel in channels) and (not purposes or purpose in purposes)
