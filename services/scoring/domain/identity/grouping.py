"""Who is one customer: the rule, as a function of all links and of what people decided, whatever came first.

Links are followed one after the other: those to shop ids first, then those to weaker kinds, each by the events'
times. A link joins the two groups that it connects unless

- both are known best by an identifier of the same kind (two shop ids, two addresses without an id): neither can tell
  whose the other is, so people are asked; or
- somebody has said that the two are not one.

On top of that, people join whom they like.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from services.scoring.domain.identity.identifiers import ID, RANK, Identity, Link, is_shared, telling

Pair = tuple[str, str]
"""Two identifiers, the smaller pseudonym first."""


def pair(one: str, other: str) -> Pair:
    """The two, in the order of a pair."""
    return (one, other) if one <= other else (other, one)


class Sets:
    """Disjoint sets (Tarjan 1975): which things are together."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def of(self, one: str) -> str:
        """The name of the set in which `one` is."""
        parents = self._parents
        while (parent := parents.setdefault(one, one)) != one:
            parents[one] = one = parents[parent]
        return one

    def join(self, into: str, other: str) -> None:
        """Make the sets of both one, under the name of the first."""
        self._parents[self.of(other)] = self.of(into)


@dataclass(slots=True)
class Persons:
    """The outcome of the rule: `of` maps each identifier to the strongest one of its group; `refused` are pairs whose
    groups a link would have joined."""

    of: dict[str, str] = field(default_factory=dict)
    refused: set[Pair] = field(default_factory=set)


def persons_among(nodes: Mapping[str, Identity], apart: Collection[Pair]) -> Persons:
    """Group the identifiers in `nodes`. Of any weaker than a shop id, all that links connect with it must be there.

    `apart` are pairs that are not one.
    """
    links = [(name, link) for name in nodes for link in telling(nodes[name].links) if _counts(link, nodes)]
    clusters = Sets()
    for name, link in links:
        if link.rank != RANK[ID]:  # two groups that meet in a shop id only do not bear on one another
            clusters.join(name, link.to)
    by_cluster: dict[str, list[tuple[str, Link]]] = {}
    for name, link in links:
        by_cluster.setdefault(clusters.of(name), []).append((name, link))
    persons = Persons({name: name for name in nodes})
    for cluster in by_cluster.values():
        _group(cluster, nodes, apart, persons)
    return persons


def _counts(link: Link, nodes: Mapping[str, Identity]) -> bool:
    """A shared identifier draws nobody to it."""
    return not is_shared(nodes[link.to].links)


def _group(
    links: list[tuple[str, Link]], nodes: Mapping[str, Identity], apart: Collection[Pair], persons: Persons
) -> None:
    members = {end: {end} for name, link in links for end in (name, link.to)}
    ends = list(members)
    sets = Sets()
    separated = [one for one in apart if members.keys() >= set(one) and not _both_ids(one, nodes)]
    for name, link in sorted(links, key=_by_place if separated else _by_strength):
        one, other = sets.of(name), sets.of(link.to)
        if one == other:
            continue
        # A set is named after its strongest identifier.
        if nodes[one].kind == nodes[other].kind or _apart(members[one], members[other], separated):
            persons.refused.add(pair(one, other))
            continue
        if RANK[nodes[one].kind] > RANK[nodes[other].kind]:
            one, other = other, one
        sets.join(one, other)
        members[one] |= members.pop(other)
    persons.of |= {end: sets.of(end) for end in ends}


def _both_ids(one: Pair, nodes: Mapping[str, Identity]) -> bool:
    """No link ever joins two shop ids: that they are apart changes nothing."""
    return nodes[one[0]].kind == nodes[one[1]].kind == ID


def _apart(one: set[str], other: set[str], separated: Iterable[Pair]) -> bool:
    return any((a in one and b in other) or (b in one and a in other) for a, b in separated)


def _by_strength(one: tuple[str, Link]) -> tuple[Link, str]:
    return one[1], one[0]


def _by_place(one: tuple[str, Link]) -> tuple[object, ...]:
    """Among those who were told apart, what was seen together first stays together."""
    name, link = one
    return link.place, link.rank, link.to, name
