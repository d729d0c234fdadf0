"""The activity tells how a person is reached when that may have changed, and never otherwise."""

from base64 import b64decode
from typing import Any

from msgspec import json

from services.scoring.adapters.rebuilding import PostgresRebuilds
from shared.contracts.activity import Activity
from shared.contracts.events import EventRecord, event_key
from shared.settings import Settings
from shared.vault.seal import Sealer
from shared.vault.subject_keys import SubjectKeys
from tests.integration.scoring.api import Api
from tests.integration.scoring.world import World
from tests.support.life import SETTINGS, moment, record
from tests.support.rules import FixedRules

MAIL, OTHER_MAIL = "e" * 32, "f" * 32
SEALED = ["customer.id", "customer.email"]


def order(day: float, name: str, mail: str = MAIL, **more: Any) -> EventRecord:
    """An order as shops send it: with the shop's id and the address each time."""
    data = {"order_id": name, "currency": "USD", "total": "10.00"}
    names = {"id": "p-ana", "email": mail}
    more.setdefault("sealed_fields", SEALED)
    return record("order.completed", moment(day), data, identifiers=names, sealed="AAAA", id=name, **more)


async def told(world: World) -> list[Activity]:
    """All that was told, in the order of its times."""
    return sorted(await world.activity(), key=lambda one: (one.time, one.id))


async def persons(world: World) -> list[str]:
    """The events that told of a person."""
    return [one.event_id for one in await told(world) if one.person is not None]


async def test_orders_tell_of_the_person_first_and_when_the_address_is_another(world: World) -> None:
    """Given orders with the same address, with another, and with the first again; when they are taken in; then the
    first of each run tells of the person, sealed as it came."""
    for batch in (
        [order(1, "1"), order(2, "2")],
        [order(3, "3")],
        [order(4, "4", OTHER_MAIL), order(5, "5", OTHER_MAIL)],
        [order(6, "6")],
        [order(7, "7")],
    ):
        await world.feed(*batch)

    assert await persons(world) == ["1", "4", "6"]
    person = (await told(world))[3].person
    assert person is not None
    assert (person.subject, person.sealed, person.sealed_fields) == ("p-ana", "AAAA", SEALED)
    assert person.identifiers == {"id": "p-ana", "email": OTHER_MAIL}


async def test_names_preferences_locale_zone_and_consent_tell_of_the_person(world: World) -> None:
    """Given a customer; when events tell a name, a locale, a zone, a consent, and each once more; then what may be new
    tells of the person with what counts now, and what says the same again does not; a birthday neither."""
    await world.feed(order(1, "1"))

    def update(day: float, name: str, customer: dict[str, Any], *sealed: str) -> EventRecord:
        data = {"customer": customer} if customer else {}
        names = {"id": "p-ana"}
        return record(
            "customer.updated",
            moment(day),
            data,
            identifiers=names,
            sealed="AAAA",
            sealed_fields=["customer.id", *sealed],
            id=name,
        )

    await world.feed(update(2, "name", {}, "customer.first_name"))
    await world.feed(update(3, "locale", {"locale": "de-DE"}), update(4, "again", {"locale": "de-DE"}))
    await world.feed(update(5, "zone", {"time_zone": "Europe/Berlin"}))
    await world.feed(update(6, "yes", {"consent": {"email": True, "sms": False}}))
    await world.feed(update(7, "yes again", {"consent": {"email": True}}))
    await world.feed(update(8, "birthday", {}, "customer.birthday"))
    await world.feed(record("email.unsubscribed", moment(9), {}, identifiers={"id": "p-ana"}, id="no"))

    assert await persons(world) == ["1", "name", "locale", "zone", "yes", "no"]
    last = (await told(world))[-1].person
    assert last is not None
    assert (last.locale, last.time_zone) == ("de-DE", "Europe/Berlin")
    assert (last.consents, last.consents_withdrawn) == (["email"], ["email_marketing", "sms"])


async def test_what_comes_late_tells_of_the_person_only_if_it_may_be_news(world: World) -> None:
    """Given a customer; when older events come, one with the known address and one with another; then only the second
    tells of the person."""
    await world.feed(order(10, "10"))
    await world.feed(order(5, "same"))
    await world.feed(order(4, "other", OTHER_MAIL))

    assert await persons(world) == ["other", "10"]
    assert [one.late for one in await told(world)] == [True, True, False]


async def test_a_merge_tells_of_what_they_agree_to_together(world: World) -> None:
    """Given two customers with consents of their own; when they prove to be one; then the merge tells both consents,
    and no contact of either, which go with the parts."""
    yes = {"customer": {"consent": {"email": True}}}
    no = {"customer": {"consent": {"sms": False}}}
    await world.feed(record("consent.changed", moment(1), yes, identifiers={"anonymous_id": "p-cookie"}))
    await world.feed(record("consent.changed", moment(2), no, identifiers={"id": "p-ana"}))
    both = {"id": "p-ana", "anonymous_id": "p-cookie"}
    await world.feed(record("customer.identified", moment(3), {}, identifiers=both))

    (merge,) = [one for one in await world.activity() if one.type == "customer.merged"]

    assert merge.person is not None
    assert (merge.person.consents, merge.person.consents_withdrawn) == (["email"], ["sms"])
    assert (merge.person.subject, merge.person.sealed) == ("", None)


async def test_who_holds_the_subjects_key_can_read_it(api: Api, settings: Settings) -> None:
    """Given a registration, sealed as ingest does; when its activity is read with the subject's key and its own id as
    what it is bound to; then the contact is there, and nowhere in the record in plain sight."""
    await api.world.feed(
        await api.sealed("customer.registered", 0, {"id": "c-1", "email": "ana@example.com"}, {})
    )
    (one,) = await api.world.activity()
    assert one.person is not None
    assert one.person.sealed is not None
    async with api.world.engine.begin() as connection:
        keys = await SubjectKeys(settings.secret).get(connection, [one.person.subject])

    plain = Sealer(keys[one.person.subject]).unseal(b64decode(one.person.sealed), bytes.fromhex(one.id))

    assert json.decode(plain)["customer"]["email"] == "ana@example.com"
    assert b"ana@example.com" not in json.encode(one)


async def test_a_rebuild_tells_of_persons_whom_nobody_was_told_of_before(world: World) -> None:
    """Given customers whose states were made before contacts were kept; when they are rebuilt, twice; then the events
    that told of each are told once more, as history, each naming the event to whose key it is bound."""
    await world.feed(order(1, "1"), order(2, "2"))
    before = len(await world.activity())
    async with world.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE scoring.customers SET state = CAST(CAST(state AS jsonb) - 'contacts' AS text)"
        )

    for program in ("new", "newer"):
        await rebuilt(world, program)

    told = [one for one in (await world.activity())[before:] if one.person is not None]
    assert [(one.type, one.historical) for one in told] == [("facts.corrected", True)]
    person = told[0].person
    assert person is not None
    assert (person.event, person.sealed) == (event_key("shop", "2").hex(), "AAAA")


async def test_a_rebuild_tells_what_somebody_agrees_to_otherwise_since(world: World) -> None:
    """Given somebody who unsubscribed while that withdrew e-mail as a whole; when they are rebuilt, twice; then what
    they agree to now is told once, as history, without a contact."""
    await world.feed(order(1, "1"), record("email.unsubscribed", moment(2), {}, identifiers={"id": "p-ana"}))
    before = len(await world.activity())
    async with world.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE scoring.customers SET state = replace(state, '\"email_marketing\"', '\"email\"')"
        )

    for program in ("new", "newer"):
        await rebuilt(world, program)

    (told,) = (await world.activity())[before:]
    assert (told.type, told.historical) == ("facts.corrected", True)
    assert told.person is not None
    assert (told.person.consents, told.person.consents_withdrawn) == ([], ["email_marketing"])
    assert (told.person.subject, told.person.sealed) == ("", None)


async def rebuilt(world: World, program: str) -> None:
    """Fold everybody anew."""
    rebuilds = PostgresRebuilds()
    async with world.engine.begin() as connection:
        now = await rebuilds.begin(connection, program, world.now)
    rebuild = world.rebuild(FixedRules(SETTINGS))
    while now.finished_at is None:
        async with world.engine.begin() as connection:
            now = await rebuild(connection, now.id, world.now)
