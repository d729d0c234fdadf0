"""Identity: who is one customer depends on the set of events and on what people decided, not on what came first."""

from collections.abc import AsyncIterator, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from itertools import combinations
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.application.identity.identify import Identify
from services.scoring.domain.event import Event
from services.scoring.domain.identity.grouping import Pair, pair
from services.scoring.domain.identity.identifiers import (
    ID,
    RANK,
    SHARED_ABOVE,
    Identity,
    Link,
    linked,
    names_of,
)
from services.scoring.domain.identity.resolution import Gone, Resolution
from shared.contracts.customer import own_id
from tests.support.life import event, moment

IDENTIFIERS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["i1", "i2", "i3"]),
        "email": st.sampled_from(["e1", "e2", "e3"]),
        "phone": st.sampled_from(["p1", "p2"]),
        "card": st.just("c1"),
        "anonymous_id": st.sampled_from(["a1", "a2"]),
    },
).filter(bool)
NAMES = ["i1", "i2", "i3", "e1", "e2", "e3", "p1", "p2", "c1", "a1", "a2"]
NOBODY = cast("Any", None)


@st.composite
def crowds(draw: st.DrawFn) -> list[Event]:
    """Events of several people, some at the same time."""
    names = draw(st.lists(IDENTIFIERS, min_size=1, max_size=14))
    return [
        event("login.recorded", moment(draw(st.integers(0, 5))), id=f"e-{number}", identifiers=one)
        for number, one in enumerate(names)
    ]


def run(use_case: Coroutine[Any, Any, Resolution]) -> Resolution:
    """The outcome of what never has to wait here."""
    try:
        use_case.send(None)
    except StopIteration as end:
        return cast("Resolution", end.value)
    raise AssertionError("it waited")


class Connection:
    """A connection that does nothing."""

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        """A savepoint that is never needed."""
        yield


class World:
    """What is stored, as the worker would, with the real use case upon it."""

    def __init__(self) -> None:
        self.known: dict[str, Identity] = {}
        self.timeline: dict[str, tuple[Event, str]] = {}
        self.led: dict[str, Gone] = {}
        self.joined: set[Pair] = set()
        self.separated: set[Pair] = set()
        self.suggested: set[Pair] = set()
        self.epoch = 0
        self.read: dict[str, Identity] = {}
        self.read_in = 0
        self.identify = Identify(self, self, self)  # type: ignore[arg-type]  # one stands for all three

    async def lock(self, connection: Any, *, alone: bool) -> int:
        """Nobody else is here; what was read in an earlier epoch is forgotten."""
        if self.epoch != self.read_in:
            self.read.clear()
            self.read_in = self.epoch
        return self.epoch

    def remembered(self, pseudonyms: Collection[str]) -> tuple[int, dict[str, Identity]]:
        """What was read of these, and when: it may be true no more."""
        return self.read_in, {name: self.read[name] for name in pseudonyms if name in self.read}

    async def find(self, connection: Any, pseudonyms: Collection[str]) -> dict[str, Identity]:
        """Those that are known."""
        found = {name: self.known[name] for name in pseudonyms if name in self.known}
        self.read |= found
        return found

    async def members(self, connection: Any, customers: Collection[str]) -> dict[str, Identity]:
        """All of these customers."""
        return {name: one for name, one in self.known.items() if one.customer_id in customers}

    async def leaves(self, connection: Any, pseudonyms: Collection[str]) -> dict[str, Identity]:
        """Those seen beside one of these."""
        return {
            name: one
            for name, one in self.known.items()
            if any(link.to in pseudonyms and link.rank != RANK[ID] for link in one.links)
        }

    async def gone(
        self, connection: Any, customers: Collection[str], pseudonyms: Collection[str]
    ) -> dict[str, Gone]:
        """Ids that lead to these, or come from these."""
        return {
            customer: gone
            for customer, gone in self.led.items()
            if gone.led in customers or gone.holder in pseudonyms
        }

    async def first_seen(self, connection: Any, customers: Collection[str]) -> dict[str, datetime]:
        """The first event of each."""
        first: dict[str, datetime] = {}
        for one, customer in self.timeline.values():
            first[customer] = min(first.get(customer, one.at), one.at)
        return {customer: at for customer, at in first.items() if customer in customers}

    async def add(self, connection: Any, identities: Mapping[str, Identity]) -> bool:
        """Store new ones."""
        assert not identities.keys() & self.known.keys()
        self.known |= identities
        return True

    async def change(self, connection: Any, resolution: Resolution) -> int:
        """Store what changed."""
        assert resolution.changed.keys() <= self.known.keys()
        self.known |= resolution.changed
        self.epoch += 1
        for merge in resolution.merges:
            self.led[merge.loser] = Gone(merge.winner, merge.holder, self.epoch)
        for customer, led in resolution.led.items():
            self.led[customer] = replace(self.led[customer], led=led)
        for customer in resolution.revived:
            del self.led[customer]
        return self.epoch

    async def about(self, connection: Any, pseudonyms: Collection[str]) -> tuple[set[Pair], set[Pair]]:
        """What people decided."""

        def near(pairs: set[Pair]) -> set[Pair]:
            return {one for one in pairs if one[0] in pseudonyms or one[1] in pseudonyms}

        return near(self.joined), near(self.separated - self.joined)

    async def note(self, connection: Any, resolution: Resolution, now: datetime) -> None:
        """Keep suggestions."""
        self.suggested |= {one.pair for one in resolution.suggested}

    def take(self, batch: Sequence[Event]) -> None:
        """Resolve a batch and store what came of it."""
        out = run(self.identify(cast("Any", Connection()), batch, moment(0)))
        self._follow(out)
        for one in batch:
            self.timeline[one.key] = (one, out.owners[one.key])

    def decide(self, what: str, two: Pair) -> None:
        """Join the customers of two identifiers, or tell them apart again; unknown ones cannot be."""
        (self.separated if what == "undo" else self.joined).add(two)
        if what == "undo":
            self.joined.discard(two)
        known = {name: self.known[name] for name in two if name in self.known}
        if known:
            self._follow(run(self.identify.again(NOBODY, known, known, known)))

    def _follow(self, out: Resolution) -> None:
        for move in out.moves:
            for key, (one, customer) in self.timeline.items():
                if customer == move.source and one.record.subject == move.pseudonym:
                    self.timeline[key] = (one, move.target)

    def groups(self) -> set[frozenset[str]]:
        """The events by customer, without the customers' names, which depend on who came first."""
        groups: dict[str, set[str]] = {}
        for key, (_, customer) in self.timeline.items():
            groups.setdefault(customer, set()).add(key)
        return {frozenset(group) for group in groups.values()}


def whose(  # noqa: PLR0912  # the rule in one place, to be read against the documentation
    events: Sequence[Event], joined: Collection[Pair] = (), apart: Collection[Pair] = ()
) -> set[frozenset[str]]:
    """The rule, said plainly and slowly, over everything at once."""
    kinds: dict[str, str] = {}
    links: dict[str, dict[str, tuple[int, Any]]] = {}
    for one in events:
        names = names_of(one)
        kinds |= {name: kind for kind, name in names}
        for _, name in names[1:]:
            place = links.setdefault(name, {}).get(names[0][1], (0, (one.at, one.key)))[1]
            links[name][names[0][1]] = (RANK[names[0][0]], min(place, (one.at, one.key)))

    def most(name: str) -> int:
        ranks = [rank for rank, _ in links.get(name, {}).values()]
        return max((ranks.count(rank) for rank in ranks), default=0)

    edges = []
    for name, seen in links.items():
        if most(name) > SHARED_ABOVE:
            continue
        ranked = sorted((rank, place, to) for to, (rank, place) in seen.items())
        for rank, place, to in ranked[:1] if most(name) > 1 else ranked:
            if most(to) <= SHARED_ABOVE:
                edges.append((rank, place, to, name))
    group = {name: {name} for name in kinds}
    told_apart = [one for one in apart if one not in joined and {kinds.get(name) for name in one} != {ID}]
    near = _reach(edges, kinds)
    ends = [sorted(one, key=lambda name: RANK[kinds[name]]) for one in told_apart if kinds.keys() >= set(one)]
    told_apart = [(strong, weak) for strong, weak in ends if strong in near[weak]]
    separated = {name for _, weak in told_apart for name in near[weak]}

    def turn(edge: tuple[int, Any, str, str]) -> Any:
        return (edge[1], edge[0], edge[2], edge[3]) if edge[3] in separated else edge

    for by_place in (True, False):
        for _, _, to, name in sorted((one for one in edges if (one[3] in separated) is by_place), key=turn):
            one, other = group[name], group[to]
            best, second = (min((RANK[kinds[n]], n) for n in g) for g in (one, other))
            heads = {n for g in (one, other) for n in g if kinds[n] == ID}
            if one is other or (best[0] == second[0] and best != second and (best[0] or len(heads) > 1)):
                continue
            if any((a in one and b in other) or (b in one and a in other) for a, b in told_apart):
                continue
            for member in other:
                one.add(member)
            for member in one:
                group[member] = one
    for a, b in joined:
        if a in group and b in group and group[a] is not group[b]:
            group[a] |= group[b]
            for member in group[a]:
                group[member] = group[a]
    found: dict[int, set[str]] = {}
    for one in events:
        found.setdefault(id(group[names_of(one)[0][1]]), set()).add(one.key)
    return {frozenset(keys) for keys in found.values()}


def _reach(edges: Sequence[Any], kinds: Mapping[str, str]) -> dict[str, set[str]]:
    """By identifier weaker than an id what links connect with it, ids at the ends only."""
    reach: dict[str, set[str]] = {}
    for name in kinds:
        seen, todo = {name}, [name]
        while todo:
            one = todo.pop()
            if kinds[one] == ID and one != name:
                continue
            for _, _, to, leaf in edges:
                for there in {to, leaf} - seen if one in (to, leaf) else ():
                    seen.add(there)
                    todo.append(there)
        reach[name] = seen
    return reach


def take_all(world: World, crowd: Sequence[Event], data: st.DataObject) -> None:
    arrivals = list(data.draw(st.permutations(crowd)))
    while arrivals:
        size = data.draw(st.integers(1, len(arrivals)))
        world.take(arrivals[:size])
        arrivals = arrivals[size:]


@settings(max_examples=150)
@given(crowds(), st.data())
def test_any_order_of_arrival_in_any_batches_gives_the_same_customers(crowd, data):
    world = World()
    take_all(world, crowd, data)

    assert world.groups() == whose(crowd)


@settings(max_examples=150)
@given(
    crowds(),
    st.lists(
        st.tuples(st.sampled_from(["merge", "merge", "undo"]), st.sampled_from(list(combinations(NAMES, 2)))),
        max_size=5,
    ),
    st.data(),
)
def test_merges_and_undone_ones_at_any_point_give_the_same_customers(crowd, decided, data):
    """Whenever people decide, before or after the events: what counts is what they decided."""
    there = {name for one in crowd for _, name in names_of(one)}
    possible = [one for one in decided if there.issuperset(one[1])]
    worlds = (World(), World())
    for world in worlds:
        todo: list[Any] = list(data.draw(st.permutations(crowd)))
        earliest = 0
        for one in possible:  # in their order, each when both are known
            seen = [{name for _, name in names_of(e)} if isinstance(e, Event) else set() for e in todo]
            known = max(next(n for n, there in enumerate(seen) if name in there) for name in one[1])
            earliest = data.draw(st.integers(max(known + 1, earliest), len(todo)))
            todo.insert(earliest, one)
            earliest += 1
        for one in todo:
            if isinstance(one, Event):
                world.take([one])
            else:
                world.decide(one[0], pair(*one[1]))

    assert worlds[0].groups() == worlds[1].groups()
    assert worlds[0].groups() == whose(crowd, worlds[0].joined, worlds[0].separated)


@given(crowds(), st.data())
def test_every_identifier_and_every_former_id_leads_to_the_customer_of_its_events(crowd, data):
    world = World()
    take_all(world, crowd, data)

    customers = {one.customer_id for one in world.known.values()}
    for one, customer in world.timeline.values():
        assert customer not in world.led
        assert world.known[names_of(one)[0][1]].customer_id == customer
    for customer, gone in world.led.items():
        assert customer not in customers
        assert gone.led in customers


@given(crowds(), st.data())
def test_a_merge_undone_leaves_everything_as_it_was_before(crowd, data):
    """Given customers; when people merge two of them and undo it; then all is as it was, ids and all."""
    world = World()
    take_all(world, crowd, data)
    ids = sorted(name for name in world.known if name.startswith("i"))
    if len(ids) < 2:
        return
    two = pair(*data.draw(st.permutations(ids))[:2])
    before = dict(world.known), dict(world.timeline), dict(world.led)
    world.decide("merge", two)
    assert world.known[two[0]].customer_id == world.known[two[1]].customer_id
    world.decide("undo", two)

    assert (world.known, world.timeline, world.led) == before


@given(crowds(), st.data())
def test_two_shop_ids_are_never_one_customer_by_themselves(crowd, data):
    world = World()
    take_all(world, crowd, data)

    ids: dict[str, set[str]] = {}
    for one, customer in world.timeline.values():
        if "id" in one.record.identifiers:
            ids.setdefault(customer, set()).add(one.record.identifiers["id"])
    assert all(len(names) == 1 for names in ids.values())


@given(st.lists(st.tuples(st.sampled_from(NAMES[:6]), st.integers(0, 9)), max_size=12), st.randoms())
def test_links_do_not_depend_on_the_order_in_which_they_were_seen(seen, luck):
    links = [Link(0 if to.startswith("i") else 1, (moment(at), to), to) for to, at in seen]
    orders = [links, luck.sample(links, len(links))]
    ends = []
    for one in orders:
        known: tuple[Link, ...] = ()
        for link in one:
            known = linked(known, link)
        ends.append(known)

    assert ends[0] == ends[1]


def test_ids_of_customers_come_from_identifiers():
    assert own_id("i1") == own_id("i1") != own_id("i2")
