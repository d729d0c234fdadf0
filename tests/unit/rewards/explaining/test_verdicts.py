"""Why not? What each rule made of one event, on what was known before it."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from services.rewards.domain.explaining.verdict_words import event_sentence, verdict_sentence
from services.rewards.domain.explaining.verdicts import Given, Verdict, as_before, verdicts
from services.rewards.domain.skips import Why
from shared.contracts.activity import Activity
from tests.unit.rewards.building import NOW, PROGRAM, Life, activity, order, rulebook

AT = "of 01 June 2026"


def judged(life: Life, asked: Activity, rule: str | None = None) -> dict[str, Verdict]:
    """The verdicts about an activity that happened, by rule, as somebody asks later."""
    given: dict[str, Given] = {}
    for entry in life.changes.entries:
        if entry.cause == asked.id and entry.kind == "earn" and entry.rule is not None:
            given[entry.rule] = Given(points=entry.points, entries=(f"{entry.customer_id}-{entry.number}",))
    for offer in life.changes.offers:
        if offer.cause == asked.id:
            given[offer.rule] = replace(given.get(offer.rule, Given()), offers=(offer.code,))
    before = as_before(life.member, asked, life.member.tier)
    found = verdicts(asked, before, life.rules, given, now=NOW, rule=rule)
    return {one.id: one for one in found}


def said(life: Life, asked: Activity, rule: str) -> str:
    return verdict_sentence(judged(life, asked, rule)[rule], asked, life.rules.program)


def test_every_rule_that_waits_for_the_event_has_a_verdict() -> None:
    """Given an order of a customer who is no VIP; when its rules are judged; then one gave, and each other says why."""
    asked = order("1001", "49.20", facts={"orders": 3})

    found = judged(Life().happen(asked), asked)

    assert {id_: one.why for id_, one in found.items()} == {
        "purchase": None,
        "vip-double": Why.CONDITION,
        "fifth-purchase": Why.CONDITION,
        "tenth-order": Why.CONDITION,
    }
    assert found["purchase"].given.points == 49
    assert event_sentence(list(found.values()), asked) == (
        f"order.completed order-1001 from shop {AT} brought 49 points by purchase;"
        " 3 other rules that wait for such events gave nothing."
    )


def test_a_condition_is_told_with_the_facts_of_then() -> None:
    asked = order("1001", "49.20", facts={"orders": 3})

    assert said(Life().happen(asked), asked, "tenth-order") == (
        f"Rule tenth-order of program version 1 gave nothing for order.completed order-1001 from shop {AT}:"
        " its condition was not met: customer.orders == 10 was false, as customer.orders was 3."
    )


@pytest.mark.parametrize(
    ("happened", "rule", "why", "words"),
    [
        ([order("1", "0.40")], "purchase", Why.NO_WHOLE_POINT, "what counts of 0.40 USD comes to less"),
        ([order("1", "20", currency="EUR")], "purchase", Why.OTHER_CURRENCY, "the order is in EUR"),
        ([order("1", "20")], "review", Why.OTHER_EVENT, "it waits for review.posted"),
        ([order("1", "20")], "nonsense", Why.NOT_IN_PROGRAM, "has no rule nonsense"),
        ([order("1", "20"), order("1", "20", name="b")], "purchase", Why.TOLD_BEFORE, "order 1 was known"),
        ([order("1", "20", unrewarded=True)], "purchase", Why.UNREWARDED, "imported as history"),
        (
            [order("1", "0.50", facts={"segments": ["vip"]})],
            "vip-double",
            Why.NOTHING_TO_MULTIPLY,
            "no rule gave points for what was paid",
        ),
        (
            [activity("social.followed", "f", network="x"), activity("social.followed", "g", network="x")],
            "follow",
            Why.LIMIT,
            "it had given as often as it may, on 01 June 2026",
        ),
        (
            [order("1", "20", facts={"orders": 5}), activity("page.viewed", "p", facts={"orders": 5})],
            "fifth-purchase",
            Why.REACHED_BEFORE,
            "it had been reached already, on 01 June 2026",
        ),
    ],
)
def test_each_reason_has_its_words(happened: list[Activity], rule: str, why: Why, words: str) -> None:
    life, asked = Life().happen(*happened), happened[-1]

    assert judged(life, asked, rule)[rule].why is why
    assert words in said(life, asked, rule)


def test_what_was_given_is_told_whatever_happened_since() -> None:
    """Given a follow and a milestone; when later ones meet their limits; then the first gave, as ever."""
    follow = activity("social.followed", "f", network="x")
    fifth = order("5", "20", facts={"orders": 5})
    life = Life().happen(
        follow, fifth, activity("social.followed", "g", network="x"), order("5", "20", name="b")
    )

    assert said(life, follow, "follow").startswith("Rule follow of program version 1 gave 20 points for ")
    assert re.search(r"gave offer \w{4}-\w{4}-\w{4} for ", said(life, fifth, "fifth-purchase"))


def test_a_reason_stands_whatever_happened_since() -> None:
    """Given a third review in a month, refused; when a month later another gives; then the third's reason stands."""
    reviews = [activity("review.posted", name, rating=5) for name in "abc"]
    later = activity("review.posted", "d", rating=5, at=NOW + timedelta(days=40))
    life = Life().happen(*reviews, later)

    found = judged(life, reviews[2], "review")["review"]

    assert found.why is Why.LIMIT


def test_what_a_changed_state_hides_is_said_to_be_hidden() -> None:
    """Given an order that left no trace; when asked why it gave nothing; then nothing is invented."""
    asked = order("1", "20")

    found = verdicts(asked, Life().member, rulebook(), {}, now=NOW, rule="purchase")

    assert [one.why for one in found] == [Why.STATE_CHANGED]
    assert "can no longer be told" in verdict_sentence(found[0], asked, rulebook().program)


def test_asking_changes_nothing_that_is_given() -> None:
    """Given reasons asked for every event of a life; when it is lived without; then the same entries are posted."""
    happened = [order(str(n), "12.34", facts={"orders": n}) for n in range(1, 6)]
    plain, asked = Life().happen(*happened), Life()
    asked.changes.skips = []
    asked.happen(*happened)

    assert asked.changes.entries == plain.changes.entries
    assert asked.changes.offers == plain.changes.offers


def test_another_version_of_the_program_judges_by_its_own_rules() -> None:
    """Given a rule that came with version 2; when an event of version 1 is asked about; then it was not there."""
    second = rulebook(PROGRAM.replace("welcome,", "hello,  "), version=2)
    asked = activity("customer.registered", "r")
    life = Life().happen(asked)

    assert judged(life, asked, "hello")["hello"].why is Why.NOT_IN_PROGRAM
    assert verdicts(asked, Life().member, second, {}, now=NOW, rule="welcome")[0].why is Why.NOT_IN_PROGRAM


@pytest.mark.parametrize("why", list(Why))
def test_no_reason_is_without_words(why: Why) -> None:
    asked = order("1", "20", facts={"orders": 1})
    rule = "tenth-order" if why in {Why.CONDITION, Why.COUNT} else "purchase"
    verdict = replace(judged(Life().happen(asked), asked, rule)[rule], why=why)

    sentence = verdict_sentence(verdict, asked, rulebook().program)

    assert sentence.endswith(".")
    assert why.value not in sentence
