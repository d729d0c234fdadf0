"""From the text of a program to its checked model."""

from collections.abc import Set
from dataclasses import replace
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from shared.program.document.fields import Fields, Reading, fields_of
from shared.program.document.ids import Ids
from shared.program.document.tree import Scalar, read_document
from shared.program.faults import Faults, Place, ProgramError, ProgramFault, nearest
from shared.program.model.program import Program
from shared.program.model.tiers import Measure
from shared.program.sections.alerts import read_alerts
from shared.program.sections.campaigns.campaigns import read_campaigns
from shared.program.sections.customers import read_segments, read_stages, segment_ids
from shared.program.sections.messages import read_messages
from shared.program.sections.milestones import read_milestones
from shared.program.sections.offers.gifts import tier_ids
from shared.program.sections.offers.offers import read_offers
from shared.program.sections.offers.rewards import read_rewards
from shared.program.sections.points.points import read_points
from shared.program.sections.score import read_score
from shared.program.sections.templates import read_templates
from shared.program.sections.tiers import read_tiers
from shared.program.values.currencies import DECIMALS

__all__ = ["ProgramError", "ProgramFault", "load_program", "load_section"]

KEYS = (
    "name",
    "currency",
    "time_zone",
    "points",
    "tiers",
    "offers",
    "rewards",
    "milestones",
    "segments",
    "stages",
    "score",
    "campaigns",
    "messages",
    "alerts",
    "templates",
    "removed_ids",
)


def load_program(text: str, *, version: int = 0, retired_ids: Set[str] = frozenset()) -> Program:
    """The program that a YAML text describes.

    `retired_ids` are ids of earlier versions that may not come back (`shared.program.model.ids.retired_after`). Raises
    `ProgramError`, which names every fault with line, column, field and a hint.
    """
    program, faults = _read(text, retired_ids)
    faults.raise_if_any()
    return replace(program, version=version, removed_ids=program.removed_ids | frozenset(retired_ids))


def load_section(text: str, section: Literal["points", "tiers"], *, version: int) -> Program:
    """A program of which nothing may be gone by but its currency, its time zone and this section, to tell of the past:
    what is wrong with the rest, by rules that came later, does not matter then. Nothing is decided by it.

    Raises `ProgramError` if something is wrong with these, or with what might change how they are read.
    """
    program, faults = _read(text, frozenset())
    elsewhere = set(KEYS) - {"currency", "time_zone", section}
    if faults.full or any(fault.section not in elsewhere for fault in faults.found):
        raise ProgramError(faults.found)
    return replace(program, version=version)


def place_of(text: str, key: str) -> Place:
    """Where the value of a key of the top level is in a text that is a program."""
    reading = Reading(faults := Faults(), Ids(faults, frozenset()))
    node = read_document(text, faults)
    assert node is not None
    root = fields_of(reading, node, "", KEYS)
    assert root is not None
    return root.place(key)


def _read(text: str, retired_ids: Set[str]) -> tuple[Program, Faults]:
    """The program, and what is wrong with it: stand-ins are in the places of that. Raises `ProgramError` for what is
    no document."""
    faults = Faults()
    node = read_document(text, faults)
    if node is None or (isinstance(node, Scalar) and node.empty):
        faults.add(Place(1, 1), "", "The file is empty.", "Begin with name, currency and time_zone.")
        raise ProgramError(faults.found)
    reading = Reading(faults, Ids(faults, retired_ids))
    root = fields_of(reading, node, "", KEYS)
    if root is None:
        raise ProgramError(faults.found)
    program = _program(root)
    reading.ids.check_uses()
    return program, faults


def _program(root: Fields) -> Program:
    reading = root.reading
    removed = _removed_ids(root)
    reading.ids.retired = reading.ids.retired | removed
    reading.currency = _currency(root)
    reading.zone = _time_zone(root)
    reading.segments = segment_ids(root)
    reading.tiers = tier_ids(root)
    root.need("name", "Give the program one, such as name: Rewards.")
    segments = read_segments(root)
    campaigns = read_campaigns(root, segments)
    program = Program(
        name=root.text("name") or "",
        currency=reading.currency,
        time_zone=reading.zone,
        points=read_points(root),
        stages=read_stages(root),
        score=read_score(root),
        tiers=read_tiers(root),
        offers=read_offers(root),
        rewards=read_rewards(root),
        milestones=read_milestones(root),
        segments=segments,
        campaigns=campaigns,
        messages=read_messages(root),
        alerts=read_alerts(root),
        templates=read_templates(root, campaigns),
        removed_ids=removed,
    )
    _check_points_tiers(root, program)
    _check_ways(root, program)
    return program


def _check_points_tiers(root: Fields, program: Program) -> None:
    """Tiers that count points need something that gives some."""
    tiers, points = program.tiers, program.points
    if tiers is None or tiers.basis.measure is not Measure.POINTS or len(tiers.levels) < 2:
        return
    if not (points.earn or points.referral or any(goal.points for goal in program.milestones)):
        hint = "Add a rule under points.earn, or count spend_over or orders_over."
        root.fault("tiers", "Tiers count points, and nothing gives any, so nobody can reach one.", hint)


def _check_ways(root: Fields, program: Program) -> None:
    """What is written needs a channel to go by. Looked at when all else is right: one slip is one fault."""
    if root.reading.faults.found:
        return
    used = ", ".join(program.messages.channels)
    for key, _ in root.entries("templates"):
        written = program.templates[key.text].channels
        if not written.intersection(program.messages.channels):
            message = f"It is written for {', '.join(sorted(written))}, and messages go by {used}."
            hint = f"Add {min(written)} to messages.channels, or write it for {used}."
            root.reading.faults.add(key.place, f"templates.{key.text}", message, hint)


def _currency(root: Fields) -> str:
    root.need("currency", "Write its code of three letters, such as currency: USD.")
    code = root.text("currency")
    if code is not None and code not in DECIMALS:
        hint = (
            f"Write {code.upper()}." if code.upper() in DECIMALS else "Use a code of ISO 4217, such as USD."
        )
        root.fault("currency", f"There is no currency {code}.", hint)
    return code or ""


def _time_zone(root: Fields) -> ZoneInfo:
    root.need("time_zone", "Days begin and end in it: write such as time_zone: America/New_York.")
    name = root.text("time_zone")
    if name in _time_zones():
        return ZoneInfo(name)
    if name is not None:
        near = nearest(name, sorted(_time_zones()))
        hint = f"Did you mean {near}?" if near else "Use a name of IANA, such as America/New_York."
        root.fault("time_zone", f"There is no time zone {name}.", hint)
    return ZoneInfo("UTC")


@cache
def _time_zones() -> frozenset[str]:
    """The names that mean the same everywhere: neither the zone of this machine nor one that is none, both of which the
    system may have files of; the database would not know them."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _removed_ids(root: Fields) -> frozenset[str]:
    """Ids that the author says are gone for good."""
    names: set[str] = set()
    for node, path in root.nodes("removed_ids"):
        if isinstance(node, Scalar) and not node.empty:
            names.add(node.text)
        else:
            root.reading.faults.add(node.place, path, "An id is needed here.")
    return frozenset(names)
