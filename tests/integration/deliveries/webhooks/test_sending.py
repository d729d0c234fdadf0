"""From an outcome to a receiver: signed, once, by whoever is at work."""

import asyncio
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from services.deliveries.adapters.webhooks.messages import LEASE
from services.deliveries.wiring.worker import create_worker
from shared.bus.records import Outgoing
from shared.bus.wiring import make_outbox
from shared.contracts.codec import encode
from shared.contracts.outcomes import OUTCOMES_TOPIC
from shared.postgres.engine import create_engine
from tests.conftest import EngineFor
from tests.integration.deliveries.webhooks.conftest import Hooks
from tests.support.receiver import Request, answers, hangs, receiving, verified, writes
from tests.support.wire import Wire


async def test_an_outcome_reaches_who_subscribes_signed_and_once(hooks: Hooks) -> None:
    async with receiving() as receiver, receiving() as other, hooks.sending():
        made = await hooks.add(receiver.url, "points.*")
        await hooks.add(other.url, "tier.changed")
        outcome = hooks.outcome(points=49)
        await hooks.happen(outcome, hooks.outcome("offer.issued", code="X"))
        await hooks.happen(outcome)  # the record comes again
        await hooks.until(made["id"], "delivered")

    (request,) = receiver.requests
    body = verified(made["secret"], request)
    assert body == {
        "type": "points.earned",
        "timestamp": "2026-06-01T12:00:00Z",
        "id": request.headers["webhook-id"],
        "data": {"customer": "cus_1", "cause": "activity-3", "program_version": 1, "points": 49},
    }
    assert other.requests == []


async def test_history_is_not_told(hooks: Hooks) -> None:
    async with receiving() as receiver:
        made = await hooks.add(receiver.url)
        await hooks.happen(hooks.outcome(historical=True))

        assert await hooks.messages(made["id"]) == []


async def test_what_is_for_deliveries_alone_never_leaves(hooks: Hooks) -> None:
    async with receiving() as receiver:
        made = await hooks.add(receiver.url)
        await hooks.happen(
            hooks.outcome("recipient.changed", person={"sealed": "abc"}),
            hooks.outcome("customer.merged", **{"from": "cus_2"}, person={"sealed": "abc"}, parts=["cus_2"]),
        )

        (message,) = await hooks.messages(made["id"])
        assert message["type"] == "customer.merged"
    (row,) = await hooks.rows("SELECT body FROM deliveries.webhook_events")
    assert b"sealed" not in row.body


async def test_a_campaign_calls_an_endpoint_by_its_name(hooks: Hooks) -> None:
    async with receiving() as receiver, hooks.sending():
        made = await hooks.add(receiver.url, "tier.changed", name="crm")
        await hooks.happen(
            hooks.outcome("webhook.due", webhook="crm", campaign="we-miss-you"),
            hooks.outcome("webhook.due", webhook="nobody", campaign="we-miss-you"),
        )
        await receiver.until(1)
        await hooks.until(made["id"], "delivered")

    (request,) = receiver.requests
    assert request.json["type"] == "campaign.action"
    assert request.json["data"]["campaign"] == "we-miss-you"


async def test_who_listens_hears_what_campaigns_call_endpoints_with(hooks: Hooks) -> None:
    """Given a listener for everything, one for tiers, and an endpoint that subscribes to everything; when campaigns
    call an endpoint that is there, and one that is not yet; then the first listener hears both, the others nothing."""
    async with receiving() as receiver:
        crm = await hooks.add(receiver.url, "tier.changed", name="crm")
        listener, tiers = await hooks.add(None), await hooks.add(None, "tier.changed")
        other = await hooks.add(receiver.url)
        await hooks.happen(
            hooks.outcome("webhook.due", webhook="crm", campaign="we-miss-you"),
            hooks.outcome("webhook.due", webhook="nobody", campaign="left-cart"),
        )

        taken = (await hooks.ask("POST", f"/v1/webhooks/{listener['id']}/take")).json()["items"]
        assert [each["type"] for each in taken] == ["campaign.action"] * 2
        assert (await hooks.ask("POST", f"/v1/webhooks/{tiers['id']}/take")).json()["items"] == []
        assert len(await hooks.messages(crm["id"])) == 1
        assert await hooks.messages(other["id"]) == []


async def test_a_rotated_secret_and_the_one_before_both_verify_for_a_day(hooks: Hooks) -> None:
    async with receiving() as receiver, hooks.sending():
        made = await hooks.add(receiver.url)
        path = f"/v1/webhooks/{made['id']}/rotate"
        rotated = (await hooks.ask("POST", path, json={})).json()
        assert rotated["secret"] != made["secret"]
        await hooks.happen(hooks.outcome())
        await receiver.until(1)
        refused = await hooks.ask("POST", path)
        assert (refused.status_code, refused.json()["code"]) == (409, "rotation_under_way"), (
            "a body is not needed"
        )
        hooks.later(days=1)
        await hooks.happen(hooks.outcome())
        await receiver.until(2)
        at_once = (await hooks.ask("POST", path, json={"immediately": True})).json()
        await hooks.happen(hooks.outcome())
        await receiver.until(3)

    during, after, last = receiver.requests
    verified(made["secret"], during)
    verified(rotated["secret"], during)
    verified(rotated["secret"], after)
    assert len(after.headers["webhook-signature"].split(" ")) == 1
    verified(at_once["secret"], last)
    assert len(last.headers["webhook-signature"].split(" ")) == 1


async def test_two_senders_never_send_the_same_twice(hooks: Hooks) -> None:
    async with receiving() as receiver:
        made = await hooks.add(receiver.url)
        await hooks.happen(*[hooks.outcome() for _ in range(200)])
        async with hooks.sending(), hooks.sending():
            await receiver.until(200)
            await hooks.until(made["id"], "delivered", 50)

    assert len(receiver.requests) == len(set(receiver.ids())) == 200


async def test_a_sender_that_dies_between_sent_and_noted_leaves_it_to_another_after_the_lease(
    hooks: Hooks,
) -> None:
    async with receiving(hangs) as receiver:
        made = await hooks.add(receiver.url)
        await hooks.happen(hooks.outcome())
        dying = asyncio.create_task(hooks.sender().run(asyncio.Event()))
        await receiver.until(1)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)

        receiver.act = answers(200)
        async with hooks.sending():
            await asyncio.sleep(0.3)
            assert len(receiver.requests) == 1, "it is the other one's until the lease ends"
            hooks.later(seconds=LEASE.total_seconds() + 1)
            await hooks.until(made["id"], "delivered")

    assert len(receiver.requests) == 2
    assert len(set(receiver.ids())) == 1


async def test_a_database_that_goes_away_between_sent_and_noted_costs_no_second_sending(hooks: Hooks) -> None:
    assert hooks.settings.database_url is not None
    folder = Path(mkdtemp(prefix="hooks-"))
    wire = Wire(hooks.settings.database_url, folder)
    await wire.mend()
    engine = create_engine(wire.url, role="regulars_deliveries", pool_size=4, application="test")

    async def cuts(_: Request, writer: asyncio.StreamWriter) -> None:
        await wire.cut()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with receiving(cuts) as receiver:
        made = await hooks.add(receiver.url)
        await hooks.happen(hooks.outcome())
        async with replace(hooks, engine=engine).sending() as sender:
            await receiver.until(1)
            await asyncio.sleep(0.5)
            assert sender.trouble is not None
            assert (await hooks.messages(made["id"]))[0]["state"] == "waiting"
            await wire.mend()
            await hooks.until(made["id"], "delivered")
    await engine.dispose()
    await wire.cut()
    rmtree(folder)

    assert len(receiver.requests) == 1


async def test_the_worker_takes_outcomes_from_the_stream_and_sends_them(
    hooks: Hooks, engine_for: EngineFor
) -> None:
    stop, worker = asyncio.Event(), create_worker(hooks.settings, hooks.clock)
    async with receiving() as receiver:
        made = await hooks.add(receiver.url)
        record = Outgoing(OUTCOMES_TOPIC, "cus_1", encode(hooks.outcome(points=7)))
        async with engine_for("regulars_rewards").begin() as connection:
            await make_outbox(hooks.settings, "rewards").append(connection, [record])
        task = asyncio.create_task(worker.run(stop))
        await hooks.until(made["id"], "delivered")
        stop.set()
        await task

    (request,) = receiver.requests
    assert request.json["data"]["points"] == 7


async def test_one_that_hangs_and_one_that_answers_nonsense_hold_nobody_up(hooks: Hooks) -> None:
    async with (
        receiving(hangs) as hanging,
        receiving(writes(b"nonsense\r\n\r\n")) as nonsense,
        receiving() as good,
        hooks.sending(try_s=2.0),
    ):
        for bad in (hanging, nonsense):
            for _ in range(5):
                await hooks.add(bad.url)
        made = await hooks.add(good.url)
        for _ in range(10):
            await hooks.happen(*[hooks.outcome() for _ in range(5)])
        async with asyncio.timeout(2):
            await good.until(50)
        await hooks.until(made["id"], "delivered", 50)

    assert len(set(good.ids())) == 50
