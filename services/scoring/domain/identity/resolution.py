"""Whose the events of a batch are, and what the links that they bring change about the customers known.

Nearly all events tell nothing new about anybody, or bring identifiers that nobody knew: `resolve_simply`. The others
have all that they bear on grouped anew: `regroup`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.scoring.domain.event import Event
from services.scoring.domain.identity.grouping import Pair, Sets, pair, persons_among
from services.scoring.domain.identity.identifiers import (
    RANK,
    Identity,
    Link,
    is_contested,
    is_shared,
    linked,
    names_of,
)
from shared.contracts.customer import own_id

_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Move:
    """The events under an identifier go from one customer to another."""

    pseudonym: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Merge:
    """The customer `loser` is gone; the id leads to `winner`, for as long as `holder`, the identifier it came from, is
    there."""

    loser: str
    winner: str
    holder: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two identifiers may be one customer's: `via` was seen beside both, if it is known."""

    pair: Pair
    via: str | None


@dataclass(slots=True)
class Resolution:
    """Whose the events of a batch are, and what that makes of the identities known.

    `owners` maps an event's key to its customer. `created` are customers that were not there before, `added` and
    `changed` identities by their pseudonyms. `moves` name every identifier that changed hands; customers who lost all
    of theirs are in `merges`. `led` says where ids of customers who were gone before lead now, `revived` which of
    them are back. `suggested` are pairs for people to decide, `shared` identifiers that turned out to be nobody's.
    """

    owners: dict[str, str] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    added: dict[str, Identity] = field(default_factory=dict)
    changed: dict[str, Identity] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    led: dict[str, str] = field(default_factory=dict)
    revived: set[str] = field(default_factory=set)
    suggested: set[Suggestion] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    holders: dict[str, str] = field(default_factory=dict)
    """By customer that was there before, the identifier from which the id comes."""
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    """Where the id of a customer who is gone leads, the identifier it came from, if that is known, and the number of
    the change since when."""

    led: str
    holder: str | None
    epoch: int


@dataclass(slots=True)
class Surroundings:
    """Everything on which a regrouping bears: all identifiers of all customers concerned, and all that links of theirs
    connect with them. An identifier that is new has no customer ("").

    `joined` and `apart` are what people decided; `gone` are ids of customers who are gone;
    `first_seen` has the time of each customer's first event.
    """

    nodes: dict[str, Identity] = field(default_factory=dict)
    joined: set[Pair] = field(default_factory=set)
    apart: set[Pair] = field(default_factory=set)
    gone: dict[str, Gone] = field(default_factory=dict)
    first_seen: dict[str, datetime] = field(default_factory=dict)


def resolve_simply(events: Iterable[Event], known: Mapping[str, Identity]) -> Resolution | None:
    """Resolve a batch that changes nothing about what is known; None if it does.

    `known` holds the identities of all its pseudonyms that exist. A new identifier with one link joins the customer of
    the other: whatever is seen of it later, nothing else depends on it yet. Raises `MalformedRecordError`.
    """
    fresh: dict[str, Identity] = {}
    strongest: dict[str, str] = {}
    for event in events:
        names = names_of(event)
        kind, first = names[0]
        strongest[event.key] = first
        if first not in known and first not in fresh:
            fresh[first] = Identity(kind, "")
        for weaker, name in names[1:]:
            identity = known.get(name) or fresh.get(name) or Identity(weaker, "")
            links = linked(identity.links, Link(RANK[kind], (event.at, event.key), first))
            if name not in known:
                if len(links) > 1:
                    return None
                fresh[name] = Identity(weaker, "", links)
            elif links is not identity.links:
                return None
    out = Resolution()
    for name in fresh:
        _settle(name, known, fresh, out)
    for key, name in strongest.items():
        identity = known.get(name) or out.added[name]
        out.owners[key] = identity.customer_id
    return out


def _settle(
    name: str, known: Mapping[str, Identity], fresh: Mapping[str, Identity], out: Resolution
) -> Identity:
    """The identity with its customer: that of the stronger identifier beside which it was seen, or a new one."""
    if name in known:
        return known[name]
    if name in out.added:
        return out.added[name]
    identity = fresh[name]
    beside = _settle(identity.links[0].to, known, fresh, out) if identity.links else None
    if beside is None or is_shared(beside.links):
        customer = own_id(name)
        out.created.add(customer)
    else:
        customer = beside.customer_id
    out.added[name] = settled = Identity(identity.kind, customer, identity.links)
    return settled


def with_links(events: Iterable[Event], known: Mapping[str, Identity]) -> dict[str, Identity]:
    """The identities of all identifiers of these events, with the links that the events bring."""
    nodes = dict(known)
    for event in events:
        names = names_of(event)
        kind, first = names[0]
        nodes.setdefault(first, Identity(kind, ""))
        link = Link(RANK[kind], (event.at, event.key), first)
        for weaker, name in names[1:]:
            before = nodes.get(name) or Identity(weaker, "")
            nodes[name] = Identity(weaker, before.customer_id, linked(before.links, link))
    return nodes


def regroup(around: Surroundings, known: Mapping[str, Identity], prefer: str | None = None) -> Resolution:
    """Group all identifiers anew, and say what differs from `known`. Of several customers who are one, `prefer` stays,
    else the one with the oldest event; their ids go where the identifier goes that each came from."""
    nodes = around.nodes
    persons = persons_among(nodes, around.apart)
    sets = Sets()
    for one, other in sorted(around.joined):
        sets.join(persons.of[one], persons.of[other])
    groups: dict[str, list[str]] = {}
    for name in nodes:
        groups.setdefault(sets.of(persons.of[name]), []).append(name)
    holders = _holders(nodes)
    out = Resolution(holders=holders)
    for group in groups.values():
        customer = _customer_of(group, around, holders, prefer)
        if customer not in holders:
            out.created.add(customer)
        for name in group:
            _give(name, customer, nodes[name], known.get(name), out)
    _follow(around, holders, out)
    _suggest(nodes, known, persons.refused, out)
    return out


def _holders(nodes: Mapping[str, Identity]) -> dict[str, str]:
    """By customer the identifier from which the id comes; if there is none (ids of old), the strongest."""
    holders: dict[str, str] = {}
    for name in sorted(nodes, key=lambda name: (RANK[nodes[name].kind], name)):
        customer = nodes[name].customer_id
        if customer and (customer not in holders or own_id(name) == customer):
            holders[customer] = name
    return holders


def _customer_of(
    group: Collection[str], around: Surroundings, holders: Mapping[str, str], prefer: str | None
) -> str:
    within = set(group)
    present = {around.nodes[name].customer_id for name in group}
    staying = [customer for customer in present if holders.get(customer) in within]
    if prefer in staying:
        assert prefer is not None
        return prefer
    if staying:
        return min(staying, key=lambda one: (around.first_seen.get(one, _END), one))
    back = [(-gone.epoch, customer) for customer, gone in around.gone.items() if gone.holder in within]
    if back:  # the customer who went last is the one that these were
        return min(back)[1]
    return own_id(min(group, key=lambda name: (RANK[around.nodes[name].kind], name)))


def _give(name: str, customer: str, node: Identity, before: Identity | None, out: Resolution) -> None:
    after = Identity(node.kind, customer, node.links)
    if before is None:
        out.added[name] = after
    elif after != before:
        out.changed[name] = after
        if before.customer_id != customer:
            out.moves.append(Move(name, before.customer_id, customer))


def _follow(around: Surroundings, holders: Mapping[str, str], out: Resolution) -> None:
    """Let ids of customers who are gone lead to wherever the identifiers went that they came from."""
    now = {move.pseudonym: move.target for move in out.moves}
    where = {name: now.get(name, node.customer_id) for name, node in around.nodes.items()}
    staying = set(where.values())
    for customer, holder in sorted(holders.items()):
        if customer not in staying:
            out.merges.append(Merge(customer, where[holder], holder))
    into = {merge.loser: merge.winner for merge in out.merges}
    for customer, gone in around.gone.items():
        if customer in staying or customer in out.created:
            out.revived.add(customer)
            continue
        target = into.get(gone.led, gone.led)
        if gone.holder is not None:
            target = where.get(gone.holder) or target
        if target != gone.led:
            out.led[customer] = target


def _suggest(
    nodes: Mapping[str, Identity], known: Mapping[str, Identity], refused: Iterable[Pair], out: Resolution
) -> None:
    for name in out.added.keys() | out.changed.keys():
        links = nodes[name].links
        if name in known and links == known[name].links:
            continue
        if is_shared(links):
            out.shared.add(name)
        elif is_contested(links):
            by_rank: dict[int, list[str]] = {}
            for link in links:
                by_rank.setdefault(link.rank, []).append(link.to)
            for beside in by_rank.values():
                out.suggested |= {
                    Suggestion(pair(one, other), name) for one in beside for other in beside if one < other
                }
    out.suggested |= {Suggestion(one, None) for one in refused}
