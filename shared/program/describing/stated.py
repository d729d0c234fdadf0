"""What the program's file states of one rule, in its own words."""

from collections.abc import Iterator
from functools import lru_cache
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

REMEMBERED = 8
"""Versions whose text stays parsed: reading YAML takes many milliseconds."""


def rule_text(source: str, rule: str) -> str | None:
    """The rule of that id (earn rule, referral, milestone, tier, campaign) as the file states it, on one line; None
    when it has none of that id."""
    found = next((item for item in _rules(_read(source)) if item.get("id") == rule), None)
    if found is None:
        return None
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = True
    writer.width = 10_000
    text = StringIO()
    writer.dump(dict(found), text)
    return text.getvalue().strip()


@lru_cache(maxsize=REMEMBERED)
def _read(source: str) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(source))


def _rules(program: dict[str, Any]) -> Iterator[dict[str, Any]]:
    points, tiers = program.get("points") or {}, program.get("tiers") or {}
    yield from points.get("earn") or []
    if points.get("referral"):
        yield {"id": "referral", **points["referral"]}
    yield from program.get("milestones") or []
    yield from tiers.get("levels") or []
    yield from program.get("campaigns") or []
