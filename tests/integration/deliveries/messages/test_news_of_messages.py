"""What became of messages is told to webhooks, in the transaction that notes it, and says nothing personal."""

from typing import Any

from msgspec import json
from sqlalchemy import text

from services.deliveries.adapters.messages.responses import PostgresResponses
from services.deliveries.adapters.own_events import OutboxEvents
from services.deliveries.adapters.webhooks.endpoints import PostgresEndpoints
from services.deliveries.adapters.webhooks.messages import WebhookQueue
from services.deliveries.application.ports import News
from services.deliveries.application.recipients.responding import Responding
from services.deliveries.application.webhooks.fan_out import FanOut
from services.deliveries.domain.providers.answers import Refused
from services.deliveries.domain.webhooks.endpoint import Endpoint
from shared.bus.wiring import make_outbox
from shared.contracts.outcomes import message_id
from tests.integration.deliveries.world import World


async def listen(world: World, *events: str) -> None:
    """An endpoint subscribes."""
    endpoint = Endpoint(
        id="whe_1",
        url="https://crm.example/hooks",
        name=None,
        description="",
        events=events,
        secret=b"k" * 24,
        previous_secret=None,
        previous_until=None,
        disabled_at=None,
        reason=None,
        failing_since=None,
        created_at=world.clock(),
    )
    async with world.engine.begin() as connection:
        await PostgresEndpoints(world.settings.secret).add(connection, endpoint, "test")


def news(world: World) -> News:
    return FanOut(PostgresEndpoints(world.settings.secret), WebhookQueue())


async def told(world: World) -> list[dict[str, Any]]:
    async with world.admin.connect() as connection:
        rows = await connection.execute(text("SELECT body FROM deliveries.webhook_events ORDER BY type"))
        return [json.decode(body) for (body,) in rows]


async def test_sent_opened_and_unsubscribed(world: World) -> None:
    """Given an endpoint that wants to know of messages; when one is sent, opened twice and unsubscribed from; then each
    is told once, with the campaign and no address."""
    await listen(world, "message.*")
    await world.knows("ana")
    hello = world.due("ana")
    await world.happen(hello)
    await world.send()
    events = OutboxEvents(make_outbox(world.settings, "deliveries"))
    responding = Responding(PostgresResponses(world.keys), events, news(world))
    id_ = message_id(hello.id)
    for _ in range(2):
        async with world.engine.begin() as connection:
            await responding.opened(connection, id_, world.clock())
            await responding.unsubscribe(connection, id_, world.clock())

    opened, sent, unsubscribed = await told(world)

    assert [each["type"] for each in (opened, sent, unsubscribed)] == [
        "message.opened",
        "message.sent",
        "message.unsubscribed",
    ]
    about = {
        "message": id_,
        "campaign": "hello",
        "run": hello.data["run"],
        "arm": "a",
        "template": "hello",
        "purpose": "marketing",
        "channel": "email",
        "customer": world.id("ana"),
    }
    assert opened["data"] == sent["data"] == unsubscribed["data"] == about


async def test_failed_by_the_provider_or_for_want_of_another_address(world: World) -> None:
    await listen(world, "message.failed")
    for name, suppress in (("ana", False), ("ben", True)):
        await world.knows(name)
        await world.happen(world.due(name))
        await world.note(await world.claim(), Refused("no", suppress=suppress))
    await world.claim()

    assert [(each["data"]["reason"], each["data"]["channel"]) for each in await told(world)] == [
        ("refused", "email")
    ] * 2


async def test_where_nobody_listens_nothing_is_written(world: World) -> None:
    await listen(world, "points.*")
    await world.knows("ana")
    await world.happen(world.due("ana"))
    await world.send()

    assert await told(world) == []
