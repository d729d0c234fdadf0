"""The section `campaigns`: occasions, silence, dates ahead, variants, and what is endless or can never be."""

from decimal import Decimal

import pytest

from shared.program.describing.describe import describe_rule
from tests.unit.program.texts import faults, load, only_fault

REST = """
points: {expire_after: P12M, notice_before: P30D, earn: [{id: purchase, on: order.completed, points_per_unit: 1}]}
tiers:
  basis: {spend_over: P12M}
  notice_before: P14D
  levels: [{id: member, name: Member}, {id: gold, name: Gold, at: 200, keep_for: P1Y}]
milestones: [{id: fifth, at: {orders: 5}, offer: code}]
offers: {code: {gift: pen, valid_for: P1M}}
templates: {m: {subject: Hello, text: How are you?}}
"""


def campaigns(*each: str) -> str:
    """A program with these campaigns."""
    return REST + "campaigns:\n" + "".join(f"  - {one}\n" for one in each)


@pytest.mark.parametrize(
    "occasion",
    [
        "order.completed",
        "x.cart.left",
        "stage.changed",
        "customer.birthday",
        "milestone.reached",
        "tier.changed",
        "tier.expiring",
        "points.expiring",
        "offer.issued",
    ],
)
def test_campaigns_begin_on_events_and_on_what_rewards_decides(occasion: str) -> None:
    (campaign,) = load(campaigns(f"{{id: c, on: {occasion}, do: [{{message: m}}]}}")).campaigns
    assert (campaign.on, campaign.delay) == (occasion, None)


@pytest.mark.parametrize(
    "occasion",
    ["login.missing", "order.missing", "product.used.missing", "x.workout.done.missing", "ticket.unanswered"],
)
def test_silence_says_how_long_and_is_no_delay(occasion: str) -> None:
    (campaign,) = load(campaigns(f"{{id: c, on: {occasion}, after: P14D, do: [{{message: m}}]}}")).campaigns
    assert campaign.after is not None
    assert (str(campaign.after), campaign.delay) == ("P14D", None)
    assert (
        "after is missing"
        in only_fault(campaigns(f"{{id: c, on: {occasion}, do: [{{message: m}}]}}")).message
    )


def test_a_renewal_is_known_ahead() -> None:
    program = load(campaigns("{id: c, on: renewal.due, before: P60D, do: [{alert: renewal}]}"))
    assert describe_rule(program, "c") == "on renewal.due, 60 days before: alert renewal"
    fault = only_fault(campaigns("{id: c, on: renewal.due, after: P60D, do: [{alert: renewal}]}"))
    assert (fault.path, fault.hint) == ("campaigns[0].after", "Write before: P30D.")
    fault = only_fault(campaigns("{id: c, on: order.completed, before: P60D, do: [{alert: renewal}]}"))
    assert fault.path == "campaigns[0].before"


def test_others_wait() -> None:
    (campaign,) = load(campaigns("{id: c, on: x.cart.left, after: PT4H, do: [{message: m}]}")).campaigns
    assert campaign.delay == campaign.after


def test_what_rewards_decides_is_for_campaigns_alone() -> None:
    body = REST + "segments: {}\n"
    broken = body.replace("on: order.completed", "on: tier.changed").replace("points_per_unit", "points")
    fault = only_fault(broken)
    assert (fault.message, fault.hint) == (
        "Only campaigns begin on tier.changed.",
        "Write it under campaigns.",
    )


@pytest.mark.parametrize(
    ("on", "when"),
    [
        ("tier.changed", "event.to == 'platinum'"),
        ("tier.expiring", "event.tier == 'silver'"),
        ("milestone.reached", "event.milestone == 'sixth'"),
        ("offer.issued", "event.offer == 'cod'"),
    ],
)
def test_a_condition_that_no_id_can_meet_is_refused(on: str, when: str) -> None:
    fault = only_fault(campaigns(f'{{id: c, on: {on}, when: "{when}", do: [{{message: m}}]}}'))
    assert (fault.path, "never the value" in fault.message) == ("campaigns[0].when", True)


@pytest.mark.parametrize(
    ("on", "missing"),
    [
        ("points.expiring", "notice_before under points"),
        ("tier.expiring", "notice_before under tiers"),
        ("tier.changed", "tiers"),
        ("milestone.reached", "milestones"),
        ("offer.issued", "offers"),
    ],
)
def test_what_is_never_decided_begins_nothing(on: str, missing: str) -> None:
    fault = only_fault(f"campaigns: [{{id: c, on: {on}, do: [{{tag: t}}]}}]")
    assert (fault.path, missing in fault.message) == ("campaigns[0].on", True)


def test_variants_share_equally_what_is_left() -> None:
    (campaign,) = load(
        campaigns(
            "{id: c, on: stage.changed, holdout: 10%, variants:"
            " {a: {share: 50%, do: [{message: m}]}, b: {do: [{points: 5}]}, d: {do: [{tag: t}]}}}"
        )
    ).campaigns
    assert [(one.id, one.share) for one in campaign.variants] == [
        ("a", Decimal(50)),
        ("b", Decimal(25)),
        ("d", Decimal(25)),
    ]
    assert campaign.do == ()
    assert len(campaign.actions()) == 3
    assert campaign.experiment


@pytest.mark.parametrize(
    ("campaign", "said", "path"),
    [
        ("{variants: {a: {do: [{tag: t}]}}}", "2 to 10 ways", "variants"),
        (
            "{variants: {a: {do: [{tag: t}]}, b: {do: [{tag: u}]}}, do: [{tag: t}]}",
            "both do and variants",
            "do",
        ),
        (
            "{variants: {a: {share: 30%, do: [{tag: t}]}, b: {share: 30%, do: [{tag: u}]}}}",
            "sum up to 60%",
            "variants",
        ),
        (
            "{variants: {a: {share: 99%, do: [{tag: t}]}, b: {share: 1%, do: [{tag: u}]}, d: {do: [{tag: u}]}}}",
            "leaves nothing",
            "variants",
        ),
        ("{variants: {a: {do: [{tag: t}]}, b: {}}}", "do is missing", "variants.b"),
        (
            "{variants: {holdout: {do: [{tag: t}]}, b: {do: [{tag: u}]}}}",
            "cannot be the name",
            "variants.holdout",
        ),
        (
            "{variants: {a: {share: 30, do: [{tag: t}]}, b: {do: [{tag: u}]}}}",
            "in percent",
            "variants.a.share",
        ),
        ("{variants: {a: {do: [{tag: t}], when: x}, b: {do: [{tag: u}]}}}", "no key when", "variants.a.when"),
        ("{do: [{message: n}]}", "no template n", "do[0].message"),
        ("{do: [{message: m}, {tag: t}, {message: m}]}", "one message", "do[2].message"),
        ("{after: P13M, do: [{tag: t}]}", "longer than a year", "after"),
        ("{recheck: false, do: [{tag: t}]}", "says nothing without a delay", "recheck"),
        ("{after: P1D, recheck: never, do: [{tag: t}]}", "true or false", "recheck"),
        ("{do: [{tag: Not a tag}]}", "cannot be an id", "do[0].tag"),
        ("{do: [{tag: t, alert: a}]}", "both", "do[0].alert"),
        ("{do: [{mesage: m}]}", "no key mesage", "do[0].mesage"),
        ("{do: [{tag: t}], success: {on: order.complete, within: P1D}}", "no event type", "success.on"),
        (
            "{do: [{tag: t}], success: {on: order.completed, when: event.totl > 5, within: P1D}}",
            "no field totl",
            "success.when",
        ),
        ("{on: email.sent, do: [{message: m}]}", "for ever", "on"),
        ("{on: email.opened, do: [{message: m}]}", "bring about the next one", "on"),
        ("{on: logn.missing, after: P3D, do: [{message: m}]}", "no event type logn.missing", "on"),
        ("{on: tier.chnged, do: [{message: m}]}", "no event type tier.chnged", "on"),
    ],
)
def test_a_wrong_campaign_is_refused(campaign: str, said: str, path: str) -> None:
    on = (
        ""
        if "on: email" in campaign or "missing, after" in campaign or "on: tier" in campaign
        else "on: stage.changed, "
    )
    fault = only_fault(campaigns(f"{{id: c, {on}{campaign[1:]}"))
    assert said in fault.message
    assert fault.path == f"campaigns[0].{path}"


def test_a_message_on_what_messages_bring_about_is_limited() -> None:
    assert not faults(
        campaigns("{id: c, on: email.opened, do: [{message: m}], at_most: {times: 1, per: P30D}}")
    )
    assert not faults(campaigns("{id: c, on: email.sent, do: [{tag: written-to}]}"))


def test_campaigns_that_bring_about_each_other_for_ever_are_refused() -> None:
    tags = "{id: a, on: email.sent, do: [{tag: written-to}]}"
    bystander = "{id: c, on: order.completed, do: [{message: m}, {tag: t}]}"
    fault = only_fault(campaigns(bystander, tags, "{id: b, on: customer.tagged, do: [{message: m}]}"))
    assert "each other" in fault.message
    assert fault.path == "campaigns[1].on"
    assert not faults(
        campaigns(
            bystander,
            tags,
            "{id: b, on: customer.tagged, do: [{message: m}], at_most: {times: 1, per: P30D}}",
        )
    )
