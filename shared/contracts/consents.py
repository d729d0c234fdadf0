"""What the names of consents speak of. The shop gives the names as it likes; their words say what they are about."""

import re
from collections.abc import Iterable
from typing import Final

_SEPARATORS: Final = re.compile(r"[_.:\-]+")

CHANNELS: Final = frozenset({"email", "sms", "push"})
MARKETING: Final = "marketing"
PURPOSES: Final = frozenset({MARKETING, "service"})


def words_of(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The channels and the purposes that a name speaks of: `sms.marketing` of one each, `email` of a channel alone,
    `terms` of none."""
    words = frozenset(_SEPARATORS.split(name.lower()))
    return words & CHANNELS, words & PURPOSES


def plain(name: str) -> str | None:
    """The plain name for what a name speaks of: `email_marketing` for `News:marketing.EMAIL`; None if it speaks of no
    messages."""
    channels, purposes = words_of(name)
    return "_".join([*sorted(channels), *sorted(purposes)]) or None


def unsubscribed(known: Iterable[str], channel: str) -> set[str]:
    """The consents that unsubscribing from marketing by a channel withdraws: `email_marketing`, and what is known by
    another name and speaks of just the same (`news.marketing.email`). What speaks of more, such as `email`, stays."""
    just = (frozenset({channel}), frozenset({MARKETING}))
    same = {name for name in known if words_of(name) == just}
    return {*same, f"{channel}_{MARKETING}"}
