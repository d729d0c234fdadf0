"""Webhooks that fail are tried again over days, given up with notice, held, replayed, and forgotten."""

import asyncio
from datetime import datetime, timedelta

from services.deliveries.domain.webhooks.retrying import TRIES_MAX, WAITS
from tests.integration.deliveries.webhooks.conftest import Hooks
from tests.support.receiver import answers, receiving, verified


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
