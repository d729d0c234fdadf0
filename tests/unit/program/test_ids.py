"""Ids are for ever: the ledger names them."""

import pytest

from shared.program import default_program_text
from shared.program.model.ids import ids_of, retired_after
from shared.program.parse import load_program
from tests.unit.program.texts import HEAD, faults, load, only_fault

OFFER = "offers: {spring: {gift: pen, valid_for: P1M}}\n"
EARN = "points: {earn: [{id: spring, on: review.posted, points: 5}]}\n"
MILESTONE = "milestones: [{id: spring, on: customer.birthday, points: 5}]\n"
CAMPAIGN = "campaigns: [{id: spring, on: stage.changed, do: [{points: 5}]}]\n"
TIER = "tiers: {basis: {spend_over: P1Y}, levels: [{id: spring, name: S}]}\n"


@pytest.mark.parametrize("other", [MILESTONE, CAMPAIGN, TIER])
def test_two_rules_may_not_share_an_id_wherever_they_stand(other: str) -> None:
    fault = only_fault(EARN + other)
    assert "used twice" in fault.message
    assert "for ever" in fault.hint


def test_a_rule_an_offer_and_a_segment_may_share_a_name() -> None:
    program = load(OFFER + MILESTONE + "segments: {spring: 'customer.orders == 1'}")
    assert ids_of(program) == {"rule:spring", "offer:spring", "segment:spring"}


@pytest.mark.parametrize("retired", ["spring", "rule:spring"])
def test_an_id_that_was_removed_may_not_come_back(retired: str) -> None:
    fault = only_fault(EARN, retired_ids={retired})
    assert "removed before" in fault.message
    assert "spring-2" in fault.hint
    assert fault.path == "points.earn[0].id"


def test_a_removed_rule_does_not_forbid_an_offer_of_that_name() -> None:
    assert not faults(OFFER, retired_ids={"rule:spring"})
    assert faults(OFFER, retired_ids={"offer:spring"})


def test_a_file_may_say_itself_which_ids_are_gone() -> None:
    assert "removed before" in only_fault(EARN + "removed_ids: [spring]").message
    assert load("removed_ids: [winter]").removed_ids == {"winter"}
    assert only_fault("removed_ids: [{a: b}]").path == "removed_ids[0]"


def test_what_a_version_drops_is_retired_for_all_that_follow() -> None:
    first = load(EARN + OFFER)
    second = load_program(HEAD + OFFER, retired_ids=retired_after(first, load(OFFER)))
    third = load("")
    assert second.removed_ids == {"rule:spring"}
    assert retired_after(second, third) == {"rule:spring", "offer:spring"}


def test_a_program_follows_itself_without_retiring_anything() -> None:
    program = load_program(default_program_text())
    assert retired_after(program, program) == frozenset()
    assert load_program(default_program_text(), retired_ids={"rule:old"}).removed_ids == {"rule:old"}


@pytest.mark.parametrize("name", ["Gold", "gold 15", "-gold", "gold-", "a" * 65, "gøld", "a:b"])
def test_ids_are_small_and_plain(name: str) -> None:
    assert "cannot be an id" in only_fault(OFFER.replace("spring", f"'{name}'")).message


@pytest.mark.parametrize("name", ["gold", "gold-15", "5th", "2026", "gold_15", "v1.2"])
def test_ids_may_have_digits_hyphens_dots_and_underscores(name: str) -> None:
    assert name in load(OFFER.replace("spring", name)).offers


def test_an_unknown_offer_is_refused_with_the_nearest_one() -> None:
    fault = only_fault(OFFER + "milestones: [{id: m, on: customer.birthday, offer: sprnig}]")
    assert (fault.line, fault.column) == (5, 52)
    assert fault.hint == "Did you mean spring?"
