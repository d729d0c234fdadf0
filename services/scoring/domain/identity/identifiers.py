"""Identifiers: what links them, and when they stop telling whose an event is.

An event names a customer by one identifier or more, and belongs to the strongest of them (`IDENTIFIERS`: shop id,
e-mail, phone, card, cookie). Beside a stronger one, each weaker identifier is linked to that strongest one. `grouping`
makes customers of the links; which links tell anything is said here:

- An identifier seen beside one of each stronger kind joins them all.
- An identifier seen beside several of one kind is contested: it belongs to the first, by the events' times, of the
  strongest kind, and joins nobody else.
- An identifier seen beside more than `SHARED_ABOVE` of one kind is shared: it belongs to nobody and links nobody.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from services.scoring.domain.event import Event, Place
from shared.contracts.codec import MalformedRecordError
from shared.contracts.customer import IDENTIFIERS, own_id

ID = "id"
EMAIL = "email"

SHARED_ABOVE = 5
"""The most identifiers of one stronger kind beside which an identifier may have been seen before it is shared: a family
has an address together, not a shop."""

RANK = {kind: rank for rank, kind in enumerate(IDENTIFIERS)}
"""Kinds of identifiers, strongest first."""


class Link(Struct, frozen=True, array_like=True, order=True):
    """An identifier was seen beside a stronger one, `to`, of this `rank`; first by the event at this place.

    Links are ordered as they are followed: the strongest kind first, then by the events' times.
    """

    rank: int
    place: Place
    to: str


class Identity(Struct, frozen=True):
    """An identifier, by its pseudonym: whose it is, and its links to stronger ones, sorted."""

    kind: str
    customer_id: str
    links: tuple[Link, ...] = ()


def names_of(event: Event) -> list[tuple[str, str]]:
    """The event's identifiers (kind, pseudonym), strongest first. Raises `MalformedRecordError` without any."""
    identifiers = event.record.identifiers
    names = [(kind, identifiers[kind]) for kind in IDENTIFIERS if kind in identifiers]
    if not names:
        raise MalformedRecordError("the record names no customer")
    return names


def standing_for(customer_id: str, members: Mapping[str, Identity]) -> str:
    """The pseudonym that stands for a customer, or a part of one, among its identifiers (one or more, by pseudonym):
    the one from which the id comes, else the strongest."""
    return min(members, key=lambda one: (own_id(one) != customer_id, RANK[members[one].kind], one))


def is_shared(links: Sequence[Link]) -> bool:
    """Whether the identifier with these links belongs to nobody. Once so, it stays so: links are only added."""
    if len(links) <= SHARED_ABOVE:
        return False
    return max(Counter(link.rank for link in links).values()) > SHARED_ABOVE


def is_contested(links: Sequence[Link]) -> bool:
    """Whether the identifier was seen beside several identifiers of one kind."""
    return len(links) > 1 and len({link.rank for link in links}) < len(links)


def telling(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """Those of an identifier's links that count."""
    if len(links) < 2:
        return links
    if is_shared(links):
        return ()
    return links[:1] if is_contested(links) else links


def linked(links: tuple[Link, ...], new: Link) -> tuple[Link, ...]:
    """The links with one more, or with an earlier place of one that is known; the same ones if it tells nothing new."""
    for known in links:
        if known.to == new.to:
            if known.place <= new.place:
                return links
            return tuple(sorted((*(one for one in links if one is not known), new)))
    return links if is_shared(links) else tuple(sorted((*links, new)))
