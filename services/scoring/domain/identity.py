"""Who is who: which customer an event belongs to, when identifiers link, and when two customers prove to be one.

The rule is a function of the set of events, so that their order of arrival does not matter:

- A shop's id is authoritative: every id is one customer, and an event with an id is that customer's.
- An e-mail address that was ever seen beside an id belongs to the id beside which it was seen first (by the event's
  time, then its key). Events with the address alone are that customer's. Two ids with one address stay two customers:
  families share addresses.
- An address that was never seen beside an id is a customer of its own, until it is: then the two are one.
- Other identifiers do not link yet; an event with nothing else is a customer by it.

What has been decided is kept per identifier. A late event may name an earlier owner for an address: then the events
with the address alone move to that customer.
"""

from base64 import b32encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b

from msgspec import Struct

from services.scoring.domain.event import Event, Place, place
from shared.contracts.codec import MalformedRecordError
from shared.contracts.customer import IDENTIFIERS

ID = "id"
EMAIL = "email"
CUSTOMER_ID_BYTES = 15

_END = datetime.max.replace(tzinfo=UTC)


class Identity(Struct, frozen=True):
    """What is known of an identifier, by its pseudonym. `link` places the event that gave an address to its owner."""

    kind: str
    customer_id: str
    link: Place | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Customer `loser` is `winner`; `cause` is the event that proved it."""

    loser: str
    winner: str
    cause: Event


@dataclass(frozen=True, slots=True)
class Move:
    """The events with the address `pseudonym` alone go from one customer to another; `cause` proved it."""

    pseudonym: str
    source: str
    target: str
    cause: Event


@dataclass(slots=True)
class Resolution:
    """Whose the events of a batch are, and what that makes of the identities known.

    `owners` maps an event's key to its customer. `created` are new customers, `added` and `changed` identities by
    their pseudonyms. Moves come before merges.
    """

    owners: dict[str, str] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    added: dict[str, Identity] = field(default_factory=dict)
    changed: dict[str, Identity] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)

    @property
    def only_adds(self) -> bool:
        """Whether nothing that was known before changes: then it may happen beside other batches."""
        return not (self.changed or self.moves or self.merges)


def customer_id_of(key: str) -> str:
    """The id of the customer whom the event with this key brought: deterministic, and no personal data."""
    digest = blake2b(bytes.fromhex(key), digest_size=CUSTOMER_ID_BYTES, person=b"regulars.cust").digest()
    return "cus_" + b32encode(digest).decode().lower()


def pseudonyms_of(event: Event) -> list[tuple[str, str]]:
    """The identifiers (kind, pseudonym) by which the event is resolved: id and e-mail, or the strongest other one."""
    identifiers = event.record.identifiers
    linking = [(kind, identifiers[kind]) for kind in (ID, EMAIL) if kind in identifiers]
    if linking:
        return linking
    for kind in IDENTIFIERS:
        if kind in identifiers:
            return [(kind, identifiers[kind])]
    raise MalformedRecordError("the record names no customer")


def resolve(
    events: Collection[Event], known: Mapping[str, Identity], first_seen: Mapping[str, datetime]
) -> Resolution:
    """Resolve a batch. `known` holds the identities of all its pseudonyms that exist; `first_seen`, for customers
    that may be merged, the time of their first event: the older one stays.

    Raises `MalformedRecordError` for an event without identifiers.
    """
    settled: list[tuple[Event, list[str], str]] = []
    open_: list[Event] = []
    touched: set[str] = set()
    for event in events:
        names = pseudonyms_of(event)
        owner = _settled(event, names, known)
        pseudonyms = [pseudonym for _, pseudonym in names]
        if owner is None:
            open_.append(event)
            touched.update(pseudonyms)
        else:
            settled.append((event, pseudonyms, owner))
    if not open_:
        return Resolution({event.key: owner for event, _, owner in settled})
    open_ += [event for event, pseudonyms, _ in settled if not touched.isdisjoint(pseudonyms)]
    out = _Resolver(sorted(open_, key=place), known, first_seen).run()
    into = {merge.loser: merge.winner for merge in out.merges}
    for event, _, owner in settled:
        out.owners.setdefault(event.key, into.get(owner, owner))
    return out


def _settled(event: Event, names: Sequence[tuple[str, str]], known: Mapping[str, Identity]) -> str | None:
    """Whose the event is, if it tells nothing new about anybody's identity: nearly all events are like that."""
    strongest = known.get(names[0][1])
    if strongest is None:
        return None
    for _, pseudonym in names[1:]:  # an address beside an id
        identity = known.get(pseudonym)
        if identity is None or identity.link is None or (event.at, event.key) < identity.link:
            return None
    return strongest.customer_id


class _Resolver:
    def __init__(
        self, events: list[Event], known: Mapping[str, Identity], first_seen: Mapping[str, datetime]
    ) -> None:
        self._events = events
        self._known = known
        self._first_seen = first_seen
        self._out = Resolution()
        self._customers: dict[str, str] = {}
        """Pseudonym to customer: the roots that this batch has settled."""

    def run(self) -> Resolution:
        named = [(event, dict(pseudonyms_of(event))) for event in self._events]
        links: dict[str, tuple[Event, str]] = {}
        for event, names in named:  # in the order of events: the first link of an address counts
            if ID in names and EMAIL in names:
                links.setdefault(names[EMAIL], (event, names[ID]))
        joining = self._joining(links)
        for event, names in named:
            if ID in names and names[ID] not in self._customers:
                self._settle_id(names[ID], event, joining.get(names[ID], []))
        for address, (event, owner) in links.items():
            self._link(address, event, self._customers[owner])
        for event, names in named:
            self._out.owners[event.key] = self._owner(event, names)
        self._follow_merges()
        return self._out

    def _joining(self, links: Mapping[str, tuple[Event, str]]) -> dict[str, list[tuple[str, Event]]]:
        """By id: customers known by an address alone until now, with the events that show whose the address is."""
        joining: dict[str, list[tuple[str, Event]]] = {}
        for address, (event, owner) in links.items():
            identity = self._known.get(address)
            if identity is not None and identity.link is None:
                joining.setdefault(owner, []).append((identity.customer_id, event))
        return joining

    def _settle_id(self, pseudonym: str, event: Event, joining: list[tuple[str, Event]]) -> None:
        """The customer of a shop's id: the one known, those who join, the oldest of them if several; or a new one."""
        identity = self._known.get(pseudonym)
        if identity is None and not joining:
            self._customers[pseudonym] = self._create(ID, pseudonym, event)
            return
        members = [customer for customer, _ in joining]
        if identity is not None:
            members.append(identity.customer_id)
        winner = min(members, key=lambda one: (self._first_seen.get(one, _END), one))
        self._customers[pseudonym] = winner
        if identity is None:
            self._out.added[pseudonym] = Identity(ID, winner)
        elif identity.customer_id != winner:
            self._out.merges.append(Merge(identity.customer_id, winner, joining[0][1]))
        self._out.merges += [Merge(one, winner, cause) for one, cause in joining if one != winner]

    def _link(self, address: str, event: Event, owner: str) -> None:
        link = (event.at, event.key)
        identity = self._known.get(address)
        self._customers[address] = owner
        if identity is None:
            self._out.added[address] = Identity(EMAIL, owner, link)
        elif identity.link is None:
            self._out.changed[address] = Identity(EMAIL, owner, link)
        elif link >= identity.link:
            self._customers[address] = identity.customer_id
        else:
            self._out.changed[address] = Identity(EMAIL, owner, link)
            if not self._same(identity.customer_id, owner):
                self._out.moves.append(Move(address, identity.customer_id, owner, event))

    def _same(self, customer: str, owner: str) -> bool:
        return customer == owner or any(
            merge.loser == customer and merge.winner == owner for merge in self._out.merges
        )

    def _owner(self, event: Event, names: Mapping[str, str]) -> str:
        kind, pseudonym = next(iter(names.items()))  # the strongest stands first
        if pseudonym not in self._customers:
            identity = self._known.get(pseudonym)
            self._customers[pseudonym] = (
                identity.customer_id if identity is not None else self._create(kind, pseudonym, event)
            )
        return self._customers[pseudonym]

    def _create(self, kind: str, pseudonym: str, event: Event) -> str:
        customer = customer_id_of(event.key)
        self._out.created.add(customer)
        self._out.added[pseudonym] = Identity(kind, customer)
        return customer

    def _follow_merges(self) -> None:
        """An address may point to a customer who has just been merged into another one."""
        into = {merge.loser: merge.winner for merge in self._out.merges}
        if not into:
            return
        out = self._out
        out.owners = {key: into.get(customer, customer) for key, customer in out.owners.items()}
