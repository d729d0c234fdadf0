"""Compares two programs, field by field; what each change is called, `phrases` says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from inspect import get_annotations
from typing import Any

from shared.program.conditions.condition import Condition
from shared.program.conditions.formula import Formula
from shared.program.describing.describe import describe, describe_redeem
from shared.program.describing.difference.changes import Change, Kind
from shared.program.describing.difference.phrases import PHRASES
from shared.program.describing.difference.values import Phrase, in_text
from shared.program.model.campaigns import Goal
from shared.program.model.earn import Products
from shared.program.model.ids import OFFER, REWARD, RULE
from shared.program.model.limit import Limit
from shared.program.model.program import Count, Points, Program
from shared.program.model.tiers import Basis, Tiers
from shared.program.templating.template import Piece
from shared.program.values.period import Period

WHOLE = (Piece, Condition, Formula, Limit, Products, Count, Goal, Period, Basis)
"""Told as one value; all other things that have fields are compared field by field."""
NOT_TOLD = {("Program", "version"), ("Program", "removed_ids")}


@dataclass(frozen=True, slots=True)
class _Pair:
    """What is compared, and how it is called: at `path`, as `subject`."""

    before: Program
    after: Program
    path: str
    subject: str

    def at(self, path: str, subject: str | None = None) -> "_Pair":
        return _Pair(
            self.before,
            self.after,
            f"{self.path}.{path}" if self.path else path,
            subject or self.subject,
        )


def difference(before: Program, after: Program) -> list[Change]:
    """All changes, in the order of the file's sections. Comments, and the order of rules, are none."""
    return list(_program(_Pair(before, after, "", "The program"), before, after))


def _program(pair: _Pair, before: Program, after: Program) -> Iterator[Change]:
    sections = {"points", "tiers", "segments", "stages", "score", "messages", "alerts", *_KEYED}
    yield from _fields(pair, before, after, without=sections)
    yield from _points(pair, before.points, after.points)
    yield from _tiers(pair, before.tiers, after.tiers)
    for section, (noun, kind) in _KEYED.items():
        old, new = (_by_id(getattr(one, section)) for one in (before, after))
        yield from _keyed(pair.at(section), noun, kind, old, new)
    yield from _segments(pair.at("segments"), before.segments, after.segments)
    yield from _fields(pair.at("stages", "Customers"), before.stages, after.stages)
    yield from _score(pair.at("score"), before, after)
    yield from _fields(pair.at("messages", "Messages"), before.messages, after.messages)
    yield from _fields(pair.at("alerts", "Alerts"), before.alerts, after.alerts)


_KEYED: dict[str, tuple[str, str | None]] = {
    "offers": ("Offer", OFFER),
    "rewards": ("Reward", REWARD),
    "milestones": ("Milestone", RULE),
    "campaigns": ("Campaign", RULE),
    "templates": ("Template", None),
}


def _points(pair: _Pair, before: Points, after: Points) -> Iterator[Change]:
    inside = pair.at("points", "Points")
    yield from _fields(inside, before, after, without={"earn", "referral", "redeem", "count"})
    yield from _fields(inside.at("count", "Amounts that give points"), before.count, after.count)
    yield from _redeem(inside, before, after)
    yield from _keyed(inside.at("earn"), "Earn rule", RULE, _by_id(before.earn), _by_id(after.earn))
    referrals = ({one.id: one} if one is not None else {} for one in (before.referral, after.referral))
    yield from _keyed(inside.at("referral"), "Referral", RULE, *referrals)


def _redeem(pair: _Pair, before: Points, after: Points) -> Iterator[Change]:
    old, new = before.redeem, after.redeem
    was = describe_redeem(old, pair.before.currency) if old else None
    becomes = describe_redeem(new, pair.after.currency) if new else None
    if old is not None and new is not None:
        if (old.points, old.value) != (new.points, new.value):
            said = f"{becomes.partition(';')[0]} now; before, {was.partition(';')[0]}."  # type: ignore[union-attr]
            yield Change(Kind.CHANGED, "points.redeem.value", was, becomes, said)
        yield from _fields(pair.at("redeem"), old, new, without={"points", "value"})
    elif new is not None:
        said = f"Points can now be spent: {becomes}."
        yield Change(Kind.ADDED, "points.redeem", None, becomes, said)
    elif old is not None:
        said = f"Points can no longer be spent; before, {was}."
        yield Change(Kind.REMOVED, "points.redeem", was, None, said)


def _tiers(pair: _Pair, before: Tiers | None, after: Tiers | None) -> Iterator[Change]:
    inside = pair.at("tiers", "Tiers")
    if before is not None and after is not None:
        yield from _fields(inside, before, after, without={"levels"})
    levels = [{level.id: level for level in tiers.levels} if tiers else {} for tiers in (before, after)]
    yield from _keyed(inside, "Tier", RULE, *levels)


def _score(pair: _Pair, before: Program, after: Program) -> Iterator[Change]:
    for name, weight in after.score.weights.items():
        was = before.score.weights[name]
        if weight != was:
            said = f"In the score, {name} now weighs {weight} instead of {was}."
            yield Change(Kind.CHANGED, f"score.weights.{name}", str(was), str(weight), said)
    yield from _keyed(
        pair.at("parts"), "Score part", None, _by_id(before.score.parts), _by_id(after.score.parts)
    )


def _segments(
    pair: _Pair, before: Mapping[str, Condition], after: Mapping[str, Condition]
) -> Iterator[Change]:
    for name in (*before, *(new for new in after if new not in before)):
        old, new = (one[name].source if name in one else None for one in (before, after))
        if old != new:
            yield _change(pair.at(name), f"Segment {name}", Phrase("is for customers for whom"), old, new)


def _keyed(
    pair: _Pair, noun: str, kind: str | None, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Change]:
    """Things by their ids. What is gone never comes back, but for templates, and for an earlier version that is put in
    force again."""
    again = noun == "Template" or 0 < pair.after.version < pair.before.version
    for name, old in before.items():
        subject = f"{noun} {name}" if noun != "Tier" else old.name
        if name in after:
            yield from _fields(pair.at(name, subject), old, after[name])
        else:
            was = _said(pair.before, kind, name, old)
            said = f"{noun} {name} is gone{'' if again else ', and its id is not used again'}: {was}."
            yield Change(Kind.REMOVED, pair.at(name).path, was, None, said)
    for name in after:
        if name not in before:
            becomes = _said(pair.after, kind, name, after[name])
            said = f"New {noun[0].lower()}{noun[1:]} {name}: {becomes}."
            yield Change(Kind.ADDED, pair.at(name).path, None, becomes, said)


def _said(program: Program, kind: str | None, name: str, thing: Any) -> str:
    """The sentence of a thing with an id, or its fields."""
    return describe(program).get(f"{kind}:{name}") or in_text(thing, program)


def _fields(pair: _Pair, before: Any, after: Any, *, without: Iterable[str] = ()) -> Iterator[Change]:
    """Two things of one kind."""
    for one in fields(before):
        if not one.init:  # follows from the others
            continue
        name = one.name
        old, new = getattr(before, name), getattr(after, name)
        owner = _declares(type(before), name)
        if old == new or name in without or name == "id" or (owner, name) in NOT_TOLD:
            continue
        old, new = _filled(old, new)
        if is_dataclass(old) and is_dataclass(new) and not isinstance(old, WHOLE):
            yield from _fields(pair.at(name), old, new)
            continue
        phrase = PHRASES.get((owner, name)) or Phrase(f"has the {name.replace('_', ' ')}")
        if isinstance(new, tuple) and isinstance(old, tuple) and phrase.verb == "brings":
            yield from _brought(pair.at(name), old, new)
        elif isinstance(new, bool) and isinstance(old, bool):
            yield _change(pair.at(name), pair.subject, phrase, old or None, new or None)
        else:
            yield _change(pair.at(name), pair.subject, phrase, old, new)


def _brought(pair: _Pair, before: tuple[Any, ...], after: tuple[Any, ...]) -> Iterator[Change]:
    """Benefits, each by itself."""
    phrase = Phrase("brings")
    for benefit in before:
        if benefit not in after:
            yield _change(pair, pair.subject, phrase, benefit, None)
    for benefit in after:
        if benefit not in before:
            yield _change(pair, pair.subject, phrase, None, benefit)


def _change(pair: _Pair, subject: str, phrase: Phrase, before: Any, after: Any) -> Change:
    say = phrase.format or in_text
    flag = isinstance(before, bool) or isinstance(after, bool)
    was, becomes = (
        None if _absent(one) else say(one, program)
        for one, program in ((before, pair.before), (after, pair.after))
    )
    if becomes is None:
        said = f"{subject} {_with('no longer', phrase.verb)}" + ("." if flag else f" {was}.")
        return Change(Kind.REMOVED, pair.path, was, None, said)
    said = f"{subject} {_with('now', phrase.verb)}" + ("" if flag else f" {becomes}")
    if was is None:
        return Change(Kind.ADDED, pair.path, None, becomes, f"{said}.")
    return Change(Kind.CHANGED, pair.path, was, becomes, f"{said} instead of {was}.")


def _with(adverb: str, verb: str) -> str:
    """Such as `now begins at`, `is now kept for`, `can no longer be used`."""
    first, _, rest = verb.partition(" ")
    return f"{first} {adverb} {rest}".rstrip() if first in ("is", "are", "can", "has") else f"{adverb} {verb}"


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, frozenset | tuple) and not value)


def _filled(old: Any, new: Any) -> tuple[Any, Any]:
    """Where one of both is missing and can be empty instead, that; so that their fields are compared."""
    for one in (old, new):
        if is_dataclass(one) and not isinstance(one, WHOLE) and not isinstance(one, type):
            try:
                empty = type(one)()
            except TypeError:
                break
            return (empty if old is None else old), (empty if new is None else new)
    return old, new


def _declares(kind: type[Any], name: str) -> str:
    """The class that declares a field: `Gift` for what offers and rewards have in common."""
    for one in reversed(kind.__mro__):
        if name in get_annotations(one):
            return one.__name__
    return kind.__name__


def _by_id(things: Any) -> dict[str, Any]:
    return dict(things) if isinstance(things, Mapping) else {one.id: one for one in things}
