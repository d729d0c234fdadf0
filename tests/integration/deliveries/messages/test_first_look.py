"""Messages that will not go out are known as such when they are asked for; all else is for the moment of sending."""

from datetime import timedelta

from shared.bus.records import Incoming
from shared.contracts.codec import encode
from shared.contracts.outcomes import OUTCOMES_TOPIC
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.deliveries.world import World
from tests.support.clock import ManualClock

HOUR = timedelta(hours=1)
CONSENT = {"consents": ["marketing"]}


async def test_a_message_that_nobody_agreed_to_is_written_down_as_that_at_once(world: World) -> None:
    """Given customers of whom one agreed to marketing; when messages are asked for; then that of the other is skipped
    before any sender looks, keeps nothing that it spoke of, and does not go out when consent comes afterwards."""
    await world.program("messages: {consent: required}")
    await world.knows("ana", **CONSENT)
    await world.knows("ben")
    hello, refused = world.due("ana"), world.due("ben")
    await world.happen(hello, refused)

    assert await world.state(hello) == ("waiting", None)
    assert await world.state(refused) == ("skipped", "no_consent")
    row = await world.row(refused)
    assert (row.due_at, row.context, row.settled_at) == (None, "{}", world.clock())
    await world.knows("ben", **CONSENT)
    assert await world.send() == [("hello", "ana@example.com")]


async def test_each_reason_is_the_one_that_a_sender_would_give(world: World) -> None:
    """Given messages that are expired, to nobody's address, or by a template that is gone; when they are asked for;
    then each says so at once."""
    await world.knows("ana")
    await world.knows("ben", customer={})
    expired = world.due("ana", expires_at=world.clock())
    nowhere, wordless = world.due("ben"), world.due("ana", "gone")
    await world.happen(expired, nowhere, wordless)

    reasons = [(await world.state(each))[1] for each in (expired, nowhere, wordless)]
    assert reasons == ["expired", "no_contact", "no_template"]
    assert await world.claim() == []


async def test_a_refused_message_takes_nobody_elses_cause(world: World) -> None:
    """Given who agreed to no marketing; when marketing and service are asked for by one cause; then the service goes
    out, and another one by the same cause does not."""
    await world.program("messages: {consent: required}")
    await world.knows("ana")
    hello, solved = world.due("ana", cause="x"), world.due("ana", "solved", cause="x")
    again = world.due("ana", "solved", cause="x")
    await world.happen(hello, solved, again)

    assert await world.state(hello) == ("skipped", "no_consent")
    assert await world.state(again) == ("skipped", "same_cause")
    assert await world.send() == [("solved", "ana@example.com")]


async def test_what_was_sent_stays_so_when_its_outcome_comes_again(world: World) -> None:
    """Given a message that was sent, and consent withdrawn after; when its outcome comes again; then it stays sent."""
    await world.knows("ana")
    hello = world.due("ana")
    await world.happen(hello)
    await world.send()
    await world.knows("ana", withdrawn=["marketing"])
    await world.happen(hello)

    assert await world.state(hello) == ("sent", None)


async def test_what_is_due_later_is_looked_at_later(world: World, clock: ManualClock) -> None:
    """Given who has agreed to nothing yet; when a message is asked for that is due in an hour, and they agree
    meanwhile; then it goes out."""
    await world.program("messages: {consent: required}")
    await world.knows("ana")
    hello = world.due("ana", time=clock() + HOUR)
    await world.happen(hello)
    assert await world.state(hello) == ("waiting", None)
    clock.advance(HOUR)
    await world.knows("ana", **CONSENT)

    assert await world.send() == [("hello", "ana@example.com")]


async def test_without_a_program_the_queue_waits_and_the_stream_does_not(
    engine_for: EngineFor, settings: Settings, clock: ManualClock
) -> None:
    """Given no program in force; when a message is asked for of who agreed to nothing; then it is queued, and skipped
    when there is a program."""
    bare = World(engine_for("regulars_deliveries"), engine_for(None), settings, clock)
    await bare.knows("ana", withdrawn=["marketing"])
    hello = bare.due("ana")
    await bare.happen(hello)
    assert await bare.state(hello) == ("waiting", None)
    await bare.program()

    assert await bare.claim() == []
    assert await bare.state(hello) == ("skipped", "no_consent")


async def test_what_nobody_here_wants_is_passed_over(world: World) -> None:
    """Given outcomes of which nobody but webhooks could want to know, one of them misshapen; when they are taken with a
    message between them; then only the message comes into the queue, and nothing is wrong."""
    await world.knows("ana")
    hello = world.due("ana")
    values = [
        b'{"type": "points.earned", "data": 7}',
        encode(hello),
        encode(world.outcome("tier.grace", "ana", {})),
    ]
    records = [Incoming(OUTCOMES_TOPIC, 0, number, "k", value) for number, value in enumerate(values)]
    async with world.engine.begin() as connection:
        await world.handler(connection, records, world.clock())

    assert await world.send() == [("hello", "ana@example.com")]
