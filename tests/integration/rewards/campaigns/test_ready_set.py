"""The campaigns that ship: what begins each, what it brings, and that its words can be written for anybody."""

from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.messages.rendering import TemplateRenderer
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.links import Links
from services.deliveries.domain.messages.message import Message
from shared.contracts.activity import Activity
from shared.contracts.outcomes import Outcome
from shared.program import default_program_text
from shared.program.parse import load_program
from tests.integration.rewards.campaigns.campaigning import of_type, put
from tests.integration.rewards.conftest import Rewards
from tests.support.letters import ANA, STRANGER, StoredPrograms
from tests.unit.rewards.building import NOW, activity, order

VALUABLE = {"segments": ["high-value"], "stage": "loyal", "orders": 9}
PROGRAM = load_program(default_program_text(), version=1)


def stage(old: str, new: str, **more: Any) -> Activity:
    """The customer is in another stage."""
    return activity("stage.changed", f"{old}-{new}", **{"from": old, "to": new}, **more)


RENEWAL = {"account_id": "acme", "contract_id": "k-1", "renews_on": "2026-07-01", "days": 30, "after": "P30D"}
SCORE = {"kind": "nps", "score": 3}
TICKET = {"ticket_id": "t-1", "priority": "high", "days": 1, "after": "PT24H"}

OCCASIONS: dict[str, tuple[Activity, set[str], set[str]]] = {
    "60 days without a purchase": (stage("active", "lapsed"), {"we-miss-you"}, set()),
    "14 days without a login": (
        activity("login.missing", "1", days=14, after="P14D"),
        {"how-can-we-help"},
        set(),
    ),
    "a subscription paused": (
        activity("subscription.paused", "1", subscription_id="s"),
        {"hold-your-spot"},
        set(),
    ),
    "a second order": (
        activity("segment.left", "1", segment="one-time", facts={"orders": 2}),
        {"thanks-for-coming-back"},
        set(),
    ),
    "one order, undone": (
        activity("segment.left", "1", segment="one-time", facts={"orders": 0}),
        set(),
        set(),
    ),
    "loyal by heart": (activity("segment.entered", "1", segment="devoted"), {"preview-sale"}, set()),
    "a renewal ahead": (activity("renewal.due", "1", **RENEWAL), {"renewal-check-in"}, {"renewal-ahead"}),
    "a bad answer": (activity("survey.answered", "1", **SCORE), {"sorry-to-hear"}, {"unhappy-feedback"}),
    "a good answer": (activity("survey.answered", "1", **SCORE | {"score": 9}), {"glad-to-hear"}, set()),
    "an answer between": (activity("survey.answered", "1", **SCORE | {"score": 7}), set(), set()),
    "a birthday": (activity("customer.birthday", "1", on="2026-06-01"), {"your-code"}, set()),
    "the fifth order": (order("5", "10", facts={"orders": 5}), {"your-code"}, set()),
    "an order": (order("1", "10", facts={"orders": 1}), set(), set()),
    "a loyal customer at risk": (stage("loyal", "at_risk"), set(), {"loyal-at-risk"}),
    "a valuable customer at risk": (stage("active", "at_risk", facts=VALUABLE), set(), {"loyal-at-risk"}),
    "anybody at risk": (stage("active", "at_risk"), set(), set()),
    "a valuable customer's ticket": (
        activity("ticket.unanswered", "1", facts=VALUABLE, **TICKET),
        set(),
        {"valuable-ticket"},
    ),
    "anybody's ticket": (activity("ticket.unanswered", "1", **TICKET), set(), set()),
    "mails that a valuable customer does not open": (
        activity("email.sent", "1", message_id="m", facts=VALUABLE | {"emails_unopened": 8}),
        set(),
        {"stopped-opening"},
    ),
    "an alert closed": (
        activity("alert.closed", "1", kind="unhappy-feedback", alert_id="alr_1", days=1),
        {"we-listened"},
        set(),
    ),
}


async def begin(rewards: Rewards) -> None:
    """The program that ships, without hold-outs: in a test everybody is reached."""
    source = default_program_text().replace("    holdout: 10%\n", "").replace("    holdout: 5%\n", "")
    await put(rewards, source)


async def alerts(rewards: Rewards) -> set[str]:
    """The kinds of alerts that were raised."""
    return {kind for (kind,) in await rewards.rows("SELECT kind FROM platform.alerts")}


@pytest.mark.parametrize("occasion", OCCASIONS)
async def test_each_occasion_brings_its_word_and_no_other(rewards: Rewards, occasion: str) -> None:
    """Given the program that ships; when something happens; then its message is asked for, and its alert raised, and no
    other; and the words can be written to somebody of whom all is known, and to somebody of whom nothing is."""
    told, messages, raised = OCCASIONS[occasion]
    await begin(rewards)
    await rewards.happen(told)

    due = of_type(await rewards.outcomes(), "message.due")
    assert {one.data["message"] for one in due} == messages
    assert await alerts(rewards) == raised
    for one in due:
        await _is_written(one)


async def test_what_only_time_brings_has_its_words_too(rewards: Rewards) -> None:
    """Given somebody who became Gold by an order; when a year passes; then their codes of each month, the points that
    run out and the tier that runs out are written of, and all that is written says what."""
    await begin(rewards)
    await rewards.happen(order("1", "250", facts={"orders": 1}))
    for _ in range(12):
        rewards.clock.advance(timedelta(days=30.4))
        await rewards.pass_time()

    due = of_type(await rewards.outcomes(), "message.due")
    assert {one.data["message"] for one in due} == {"your-code", "points-run-out", "tier-runs-out"}
    words = {one.data["message"]: await _is_written(one) for one in due}
    assert "15 % off" in words["your-code"]
    assert "250 of your points expire" in words["points-run-out"]
    assert "Gold" in words["tier-runs-out"]


async def _is_written(outcome: Outcome) -> str:
    """The words in which it is written, to Ana."""
    data = outcome.data
    message = Message(
        id="msg_1",
        customer_id=outcome.customer_id,
        part=outcome.customer_id,
        campaign=data["campaign"],
        run=data["run"],
        template=data["message"],
        arm=data["arm"],
        purpose=Purpose(data["purpose"]),
        cause=outcome.cause,
        caused_at=NOW,
        created_at=NOW,
        expires_at=datetime.fromisoformat(data["expires_at"]),
        program_version=1,
        context=data["context"],
    )
    renderer = TemplateRenderer(StoredPrograms(PROGRAM), Links("https://shop.example", b"k" * 32))
    await renderer.prepare(cast("AsyncConnection", None), [message], NOW)
    for recipient in (STRANGER, ANA):
        for name in PROGRAM.templates[message.template].channels:
            written = renderer.render(message, recipient, Channel(name))
            assert "None" not in written.text + (written.subject or "")
    return renderer.render(message, ANA, Channel.EMAIL).text
