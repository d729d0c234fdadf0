"""Sentences about entries: one for every kind that there is."""

import re
from pathlib import Path

import pytest

from services.rewards.domain.explaining.entry_words import Origin, Story, entry_sentence
from services.rewards.domain.state.accounts import Account, Kind
from tests.unit.rewards.building import NOW

LEDGER = Path(__file__).parents[4] / "docs" / "ledger.md"
ORIGIN = Origin(rule="purchase", at=NOW, order_id="1001")


def told(kind: Kind, debit: Account = Account.AVAILABLE, **more: object) -> str:
    stated = {"kind": kind, "debit": debit, "points": 30, "rule": "purchase", "version": 2}
    return entry_sentence(Story(**{**stated, **more}))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_entry_has_a_sentence(kind: Kind) -> None:
    sentence = told(kind, redemption="red_1", reason="sorry")

    assert sentence.startswith("30 points ")
    assert sentence.endswith(".")
    assert "None" not in sentence


def test_no_two_kinds_share_a_sentence() -> None:
    assert len({told(kind) for kind in Kind}) == len(Kind)


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        (
            Kind.EXPIRE,
            {"origin": ORIGIN},
            "30 points, earned by rule purchase on 01 June 2026 (order 1001), expired unspent",
        ),
        (
            Kind.RESERVE,
            {"origin": ORIGIN, "redemption": "red_1", "order_id": "77"},
            "(order 1001), put aside for redemption red_1 on order 77.",
        ),
        (
            Kind.RELEASE_PENDING,
            {"origin": Origin(rule=None, at=NOW)},
            "given by hand on 01 June 2026, became",
        ),
        (Kind.ADJUST, {"reason": "sorry", "actor": "key_1"}, "taken by hand by key_1: sorry."),
        (Kind.MERGE, {"event_type": "customer.merged"}, "because two customers proved to be one."),
        (Kind.MERGE, {"event_type": "customer.unmerged"}, "because a merge was undone."),
        (Kind.MERGE, {"event_type": "facts.corrected"}, "proved to be another customer's."),
        (Kind.REVERSE, {"debit": Account.DEBT}, "the next points earned pay for them."),
        (Kind.REVERSE, {"debit": Account.EXPIRED}, "the balance stays as it is."),
    ],
)
def test_a_sentence_says_where_points_came_from_and_why(
    kind: Kind, more: dict[str, object], words: str
) -> None:
    assert words in told(kind, **more)


def test_the_ledger_page_has_every_kind() -> None:
    """When this fails: `docs/ledger.md` needs a row for the kind, in the table that says when it is posted."""
    rows = [line.split("|")[1] for line in LEDGER.read_text(encoding="utf-8").splitlines() if "→" in line]

    assert {kind for row in rows for kind in re.findall(r"`(\w+)`", row)} == set(Kind)
