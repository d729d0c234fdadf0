"""Identity: whose an event is depends on the set of events, not on the order in which they arrive."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.event import Event
from services.scoring.domain.identity import EMAIL, Identity, pseudonyms_of, resolve
from tests.support.life import event, moment

IDENTIFIERS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["i1", "i2", "i3"]),
        "email": st.sampled_from(["e1", "e2", "e3"]),
        "phone": st.sampled_from(["p1", "p2"]),
    },
).filter(bool)


@st.composite
def crowds(draw: st.DrawFn) -> list[Event]:
    """Events of several people, some at the same time."""
    names = draw(st.lists(IDENTIFIERS, min_size=1, max_size=14))
    return [
        event("login.recorded", moment(draw(st.integers(0, 5))), id=f"e-{number}", identifiers=one)
        for number, one in enumerate(names)
    ]


class World:
    """What is stored, as the worker would: identities, and whose every event is."""

    def __init__(self) -> None:
        self.known: dict[str, Identity] = {}
        self.timeline: dict[str, tuple[Event, str]] = {}
        self.merged: dict[str, str] = {}

    def take(self, batch: Sequence[Event]) -> None:
        """Resolve a batch and store what came of it."""
        wanted = {pseudonym for one in batch for _, pseudonym in pseudonyms_of(one)}
        known = {name: identity for name, identity in self.known.items() if name in wanted}
        first_seen = {}
        for one, customer in self.timeline.values():
            first_seen[customer] = min(first_seen.get(customer, one.at), one.at)
        out = resolve(batch, known, first_seen)
        assert not out.added.keys() & self.known.keys()
        self.known |= out.added | out.changed
        for move in out.moves:
            for key, (one, customer) in self.timeline.items():
                if customer == move.source and one.record.subject == move.pseudonym:
                    self.timeline[key] = (one, move.target)
        for merge in out.merges:
            self.merged[merge.loser] = merge.winner
            for key, (one, customer) in self.timeline.items():
                if customer == merge.loser:
                    self.timeline[key] = (one, merge.winner)
            for name, identity in self.known.items():
                if identity.customer_id == merge.loser:
                    self.known[name] = Identity(identity.kind, merge.winner, identity.link)
        for one in batch:
            self.timeline[one.key] = (one, out.owners[one.key])

    def groups(self) -> set[frozenset[str]]:
        """The events by customer, without the customers' names, which depend on who came first."""
        groups: dict[str, set[str]] = {}
        for key, (_, customer) in self.timeline.items():
            groups.setdefault(customer, set()).add(key)
        return {frozenset(group) for group in groups.values()}


def whose(events: Sequence[Event]) -> set[frozenset[str]]:
    """The rule, said plainly."""
    ordered = sorted(events, key=lambda one: (one.at, one.key))
    owner: dict[str, str] = {}
    for one in ordered:
        names = dict(pseudonyms_of(one))
        if "id" in names and EMAIL in names:
            owner.setdefault(names[EMAIL], names["id"])
    groups: dict[str, set[str]] = {}
    for one in ordered:
        names = dict(pseudonyms_of(one))
        strongest = next(iter(names.values()))
        groups.setdefault(names.get("id") or owner.get(strongest, strongest), set()).add(one.key)
    return {frozenset(group) for group in groups.values()}


@given(crowds(), st.data())
def test_any_order_of_arrival_in_any_batches_gives_the_same_customers(crowd, data):
    arrivals = data.draw(st.permutations(crowd))
    world = World()
    while arrivals:
        size = data.draw(st.integers(1, len(arrivals)))
        world.take(arrivals[:size])
        arrivals = arrivals[size:]

    assert world.groups() == whose(crowd)


@given(crowds(), st.data())
def test_every_identifier_and_every_merged_customer_leads_to_the_customer_of_its_events(crowd, data):
    world = World()
    for one in data.draw(st.permutations(crowd)):
        world.take([one])

    for one, customer in world.timeline.values():
        assert customer not in world.merged
        strongest = pseudonyms_of(one)[0][1]
        assert world.known[strongest].customer_id == customer


@given(crowds(), st.data())
def test_two_shop_ids_are_never_one_customer(crowd, data):
    world = World()
    for one in data.draw(st.permutations(crowd)):
        world.take([one])

    ids: dict[str, set[str]] = {}
    for one, customer in world.timeline.values():
        if "id" in one.record.identifiers:
            ids.setdefault(customer, set()).add(one.record.identifiers["id"])
    assert all(len(names) == 1 for names in ids.values())
