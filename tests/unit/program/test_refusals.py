"""Every refusal that a marketer is promised, in one file: all at once, each with its place and what would be right."""

from textwrap import dedent

from tests.unit.program.texts import faults

WRONG = dedent("""
    points:
      earn:
        - {id: welcome, on: customer.registered, pionts: 100}
        - {id: review, on: review.postd, points: 50}
        - {id: review, on: review.posted, points: 5}
        - {id: refund, on: review.posted, points: 5}
        - {id: spring, on: review.posted, points: 5}
        - {id: never, on: order.completed, points: 5, when: "customer.orders > 5 && customer.orders < 3"}
        - {id: typed, on: order.completed, points: 5, when: "customer.orders == 'many'"}
        - {id: field, on: review.posted, points: 5, when: "event.rateing == 5"}
        - {id: stage, on: order.completed, points: 5, when: "customer.stage == 'laps'"}
        - {id: twice, on: review.posted, multiply: 2}
        - {id: past, on: order.completed, points: 5, from: 2026-12-24, until: 2026-12-01}
        - {id: whose, on: order.completed, points: 5, tiers: [golden]}
    tiers:
      basis: {spend_over: P12M}
      levels:
        - {id: member, name: Member}
        - {id: gold, name: Gold, at: 500}
        - {id: platinum, name: Platinum, at: 200}
    offers:
      fifth: {gift: tote-bag, valid_for: P60D}
    milestones:
      - {id: fifth-order, when: "customer.orders == 5", offer: fith}
    removed_ids: [winter]
    """).lstrip("\n")

PROMISED = [
    # what is refused, the words it stands in, what is said, what would be right
    ("an unknown key", "pionts", "There is no key pionts here.", "Did you mean points?"),
    ("an unknown event", "review.postd,", "There is no event type review.postd.", "review.posted?"),
    ("an id used twice", "review, on: review.posted", "The id review is used twice", "for ever"),
    ("a reserved id", "refund, on", "The id refund is reserved", "Choose another one."),
    ("a removed id", "spring, on", "The id spring was used and removed before", "such as spring-2."),
    (
        "a rule that can never fire",
        '"customer.orders > 5',
        "can never be true",
        "Correct it, or remove the rule.",
    ),
    ("a condition of the wrong type", "'many'", "whole number", ""),
    ("an unknown field", "event.rateing", "rateing", "rating"),
    ("a text that a field never has", "'laps'", "laps", "lapsed"),
    ("a multiplier of nothing", "2}\n", "There is nothing to multiply", "Add such a rule"),
    (
        "a promotion that ends before it begins",
        "2026-12-01}",
        "until is before from",
        "Exchange the two days.",
    ),
    ("a tier that there is not", "golden]", "golden", "gold"),
    ("tiers that do not ascend", "200}", "Levels ascend", "from the lowest to the highest"),
    ("an offer that nothing defines", "fith}", "There is no offer fith.", "Did you mean fifth?"),
]


def test_all_promised_refusals_at_once_each_at_its_place() -> None:
    """Given one file with every fault that the program's guide promises to refuse; then each is named by line and
    column, in the order of the file, and nothing else."""
    found = faults(WRONG, retired_ids={"rule:spring"})

    text = "\n\n\n" + WRONG  # three lines of head
    for what, words, message, hint in PROMISED:
        line = text[: text.index(words)].count("\n") + 1
        said = [fault for fault in found if fault.line == line and message in fault.message]
        assert said, (what, line, [str(fault) for fault in found if abs(fault.line - line) < 2])
        assert hint in said[0].hint, (what, said[0])
        assert said[0].column > 1, what
    places = [(fault.line, fault.column) for fault in found]
    assert places == sorted(places)
    assert len(found) == len(PROMISED), "\n".join(map(str, found))
