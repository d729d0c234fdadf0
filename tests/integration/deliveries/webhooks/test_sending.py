"""From an outcome to a receiver: signed, tried again over days, given up with notice, replayed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import msgspec
from standardwebhooks import Webhook

from services.deliveries.adapters.webhooks.messages import LEASE
from services.deliveries.domain.webhooks.retrying import TRIES_MAX, WAITS
from services.deliveries.main import create_worker
from shared.bus.records import Outgoing
from shared.bus.wiring import make_outbox
from shared.contracts.codec import encode
from shared.contracts.outcomes import OUTCOMES_TOPIC
from shared.postgres.engine import create_engine
from tests.conftest import EngineFor
from tests.integration.deliveries.webhooks.conftest import Hooks
from tests.support.receiver import Request, answers, hangs, receiving, writes
from tests.support.wire import Wire


def verified(secret: str, request: Request) -> object:
    """What a receiver makes of a request with the library of Standard Webhooks; the clock is the test's, so the time
    is checked apart."""
    webhook = Webhook(secret)
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    expected = webhook.sign(request.headers["webhook-id"], at, request.body.decode())
    assert expected in request.headers["webhook-signature"].split(" ")
    return msgspec.json.decode(request.body)


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


async def test_a_failing_receiver_is_tried_again_with_the_same_id_and_body(hooks: Hooks) -> None:
    async with receiving(answers(500, b"oops")) as receiver, hooks.sending():
        made = await hooks.add(receiver.url)
        await hooks.happen(hooks.outcome())
        waiting = await hooks.until_tried(made["id"], 1)
        assert waiting["state"] == "waiting"
        assert waiting["status"] == 500
        due = datetime.fromisoformat(waiting["due_at"]) - hooks.clock()
        assert WAITS[0] * 0.8 <= due <= WAITS[0] * 1.2

        receiver.act = answers(204)
        hooks.later(seconds=6)
        (delivered,) = await hooks.until(made["id"], "delivered")

    first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    verified(made["secret"], second)
    tries = (await hooks.ask("GET", f"/v1/webhooks/{made['id']}/messages/{delivered['id']}")).json()["tries"]
    assert [(each["number"], each["status"], each["answer"]) for each in tries] == [
        (1, 500, "oops"),
        (2, 204, ""),
    ]


async def test_after_ten_tries_over_three_days_it_has_failed_and_a_replay_sends_it(hooks: Hooks) -> None:
    began = hooks.clock()
    async with receiving(answers(503)) as receiver, hooks.sending():
        made = await hooks.add(receiver.url)
        await hooks.happen(hooks.outcome())
        for number in range(1, TRIES_MAX):
            await hooks.until_tried(made["id"], number)
            hooks.later(seconds=WAITS[number - 1].total_seconds() * 1.2)
        (failed,) = await hooks.until(made["id"], "failed")
        assert failed["attempts"] == TRIES_MAX
        assert hooks.clock() - began > timedelta(days=3)
        hooks.later(days=1)

        receiver.act = answers(200)
        path = f"/v1/webhooks/{made['id']}/messages/{failed['id']}/replay"
        assert (await hooks.ask("POST", path)).status_code == 202
        await hooks.until(made["id"], "delivered")

    assert len(set(receiver.ids())) == 1
    assert len(receiver.requests) == TRIES_MAX + 1


async def test_gone_disables_the_endpoint_with_an_alert_and_holds_what_waits(hooks: Hooks) -> None:
    async with receiving(answers(410)) as receiver, hooks.sending():
        made = await hooks.add(receiver.url)
        await hooks.happen(hooks.outcome())
        await hooks.until(made["id"], "failed")
        await hooks.happen(hooks.outcome())
        await hooks.until(made["id"], "held")

    endpoint = await hooks.endpoint(made["id"])
    assert (endpoint["state"], endpoint["reason"]) == ("disabled", "gone")
    assert len(receiver.requests) == 1
    (alert,) = await hooks.rows("SELECT kind, subject, details FROM platform.alerts")
    assert (alert.kind, alert.subject) == ("webhook-disabled", f"webhook:{made['id']}")
    assert alert.details["reason"] == "gone"


async def test_five_days_of_failures_disable_the_endpoint_and_one_success_in_between_does_not(
    hooks: Hooks,
) -> None:
    async with receiving(answers(500)) as receiver, hooks.sending():
        made = await hooks.add(receiver.url)

        async def fail() -> None:
            before = len(receiver.requests)
            await hooks.happen(hooks.outcome())
            await receiver.until(before + 1)
            await hooks.until_tried(made["id"], 1)

        await fail()
        assert (await hooks.endpoint(made["id"]))["failing_since"] is not None
        hooks.later(days=4)
        receiver.act = answers(200)
        await hooks.happen(hooks.outcome())
        await hooks.until(made["id"], "delivered", 2)
        assert (await hooks.endpoint(made["id"]))["failing_since"] is None

        receiver.act = answers(500)
        hooks.later(days=2)
        await fail()
        assert (await hooks.endpoint(made["id"]))["state"] == "enabled"
        hooks.later(days=5)  # the message is due again, and fails again
        disabled = await hooks.until_disabled(made["id"])

    assert disabled["reason"] == "failing"


async def test_an_endpoint_enabled_again_is_sent_what_was_held_by_a_replay_of_the_time(hooks: Hooks) -> None:
    async with receiving() as receiver, hooks.sending():
        made = await hooks.add(receiver.url)
        path = f"/v1/webhooks/{made['id']}"
        await hooks.ask("PATCH", path, json={"enabled": False})
        began = hooks.clock()
        for _ in range(3):
            await hooks.happen(hooks.outcome())
            hooks.later(minutes=10)
        assert len(await hooks.messages(made["id"], state="held")) == 3
        period = {
            "from": began.isoformat(),
            "to": (began + timedelta(minutes=20)).isoformat(),
        }
        refused = await hooks.ask("POST", f"{path}/replay", json=period)
        assert (refused.status_code, refused.json()["code"]) == (409, "webhook_disabled")

        await hooks.ask("PATCH", path, json={"enabled": True})
        key = {"Idempotency-Key": "range"}
        replayed = await hooks.ask("POST", f"{path}/replay", json=period, headers=key)
        again = await hooks.ask("POST", f"{path}/replay", json=period, headers=key)
        assert replayed.json() == again.json() == {"replayed": 2, "next": None}
        await hooks.until(made["id"], "delivered", 2)

    assert len(receiver.requests) == 2
    assert len(await hooks.messages(made["id"], state="held")) == 1


async def test_what_was_delivered_is_replayed_only_when_asked_for(hooks: Hooks) -> None:
    async with receiving() as receiver, hooks.sending():
        made = await hooks.add(receiver.url)
        await hooks.happen(hooks.outcome())
        await hooks.until(made["id"], "delivered")
        period = {
            "from": "2026-06-01T00:00:00Z",
            "to": "2026-06-02T00:00:00Z",
        }
        path = f"/v1/webhooks/{made['id']}/replay"
        assert (await hooks.ask("POST", path, json=period)).json()["replayed"] == 0
        asked = await hooks.ask("POST", path, json={**period, "states": ["delivered"]})
        assert asked.json()["replayed"] == 1
        await receiver.until(2)


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


async def test_a_deleted_endpoint_gets_nothing_more(hooks: Hooks) -> None:
    async with receiving(answers(500)) as receiver, hooks.sending():
        made = await hooks.add(receiver.url)
        await hooks.happen(hooks.outcome())
        await hooks.until_tried(made["id"], 1)
        assert (await hooks.ask("DELETE", f"/v1/webhooks/{made['id']}")).status_code == 204
        await hooks.happen(hooks.outcome())
        hooks.later(days=1)
        await asyncio.sleep(0.3)

    assert len(receiver.requests) == 1
    assert (await hooks.ask("GET", f"/v1/webhooks/{made['id']}")).status_code == 404


async def test_what_is_old_is_forgotten_and_so_is_what_deleted_endpoints_had(hooks: Hooks) -> None:
    async with receiving() as receiver:
        made = await hooks.add(receiver.url)
        deleted = await hooks.add(receiver.url)
        async with hooks.sending():
            await hooks.happen(hooks.outcome())
            await hooks.until(made["id"], "delivered")
            await hooks.until(deleted["id"], "delivered")
        await hooks.ask("DELETE", f"/v1/webhooks/{deleted['id']}")
        hooks.later(days=29)
        await hooks.happen(hooks.outcome())
        hooks.later(days=2)
        async with hooks.sending(), asyncio.timeout(20):  # what is old goes beside what is sent
            while [each["state"] for each in await hooks.messages(made["id"])] != ["delivered"]:  # noqa: ASYNC110  # the database is asked
                await asyncio.sleep(0.02)

    (counts,) = await hooks.rows(
        "SELECT (SELECT count(*) FROM deliveries.webhook_events), (SELECT count(*) FROM deliveries.webhook_messages),"
        " (SELECT count(*) FROM deliveries.webhook_attempts)"
    )
    assert tuple(counts) == (1, 1, 1)
