"""Merges by people, on the real API: made, undone, suggested; beside workers that take events in."""

import asyncio
import random
from typing import Any

import httpx

from services.scoring.domain.identity.identifiers import SHARED_ABOVE
from tests.integration.scoring.api import Api
from tests.integration.scoring.identity.test_identities import placed
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import moment


async def post(api: Api, path: str, body: dict[str, Any], *, key: str, token: str = "all") -> httpx.Response:
    """POST with a key of the API and an idempotency key."""
    return await api.client.post(
        path,
        json=body,
        headers={"Authorization": f"Bearer {api._tokens[token]}", "Idempotency-Key": key},
    )


async def merge(api: Api, source: str, into: str, *, key: str = "k-1") -> httpx.Response:
    """A merge by hand."""
    return await post(api, "/v1/customers/merge", {"from": source, "into": into, "reason": "same"}, key=key)


async def customer(api: Api, ref: str) -> dict[str, Any]:
    """A profile."""
    answer = await api.get(f"/v1/customers/{ref}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def snapshot(world: World) -> dict[str, Any]:
    """All that tells who is who, and what each is, without the history of merges."""
    return {
        table: await world.rows(f"SELECT {columns} FROM scoring.{table} ORDER BY 1, 2")
        for table, columns in {
            "identities": "pseudonym, customer_id, links",
            "customers": "id, state",
            "timeline": "customer_id, at, event_key",
            "orders": "customer_id, order_id, total",
            "merges": "loser, winner",
        }.items()
    }


async def test_two_customers_are_merged_with_history_and_score(api: Api):
    """Given two customers; when somebody merges them; then one has the history of both under either id."""
    await api.order(0, "1", id="ana")
    await api.order(5, "2", id="ben")
    ana, ben = await customer(api, "ana"), await customer(api, "ben")

    answer = await merge(api, "ben", "ana")

    assert answer.status_code == 201
    assert (answer.json()["from"], answer.json()["into"], answer.json()["by"]) == (
        ben["id"],
        ana["id"],
        "person",
    )
    for ref in ("ana", "ben", ana["id"], ben["id"]):
        one = await customer(api, ref)
        assert (one["id"], one["facts"]["orders"]) == (ana["id"], 2)
    (told,) = [one for one in await api.world.activity() if one.type == "customer.merged"]
    assert (told.customer_id, told.data["from"], told.facts.orders) == (ana["id"], ben["id"], 2)
    assert len(told.identifiers["id"]) == 2


async def test_the_same_request_merges_once(api: Api):
    """Given a merge; when its request is repeated; then the answer is the same, and nothing more happens."""
    await api.order(0, "1", id="ana")
    await api.order(5, "2", id="ben")
    first = await merge(api, "ben", "ana")
    before = await snapshot(api.world)
    again, other = await merge(api, "ben", "ana"), await merge(api, "ben", "ana", key="k-2")

    assert (again.status_code, again.content) == (201, first.content)
    assert (other.status_code, other.json()["code"]) == (409, "same_customer")
    assert await snapshot(api.world) == before


async def test_nobody_is_merged_with_a_stranger_or_without_the_scope(api: Api):
    """Given one customer; when merged with nobody; then 404 and nothing changed."""
    await api.order(0, "1", id="ana")
    before = await snapshot(api.world)
    answer = await merge(api, "nobody", "ana")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_customer")
    assert (await api.client.post("/v1/customers/merge", json={})).status_code == 401
    assert await snapshot(api.world) == before


async def test_an_undone_merge_gives_each_back_what_is_theirs_and_what_came_since(api: Api):
    """Given a merge, and orders under either id since; when it is undone; then all is as if it had never been."""
    await api.order(0, "1", id="ana", email="ana@example.com")
    await api.order(5, "2", id="ben")
    ana, ben = await customer(api, "ana"), await customer(api, "ben")
    merged = (await merge(api, "ben", "ana")).json()
    await api.order(6, "3", id="ben", email="ben@example.com")
    await api.order(7, "4", id="ana")

    answer = await post(api, f"/v1/merges/{merged['id']}/undo", {"reason": "two"}, key="u-1")

    assert (answer.status_code, answer.json()["separate"]) == (200, True)
    one, other = await customer(api, "ana"), await customer(api, "ben")
    assert (one["id"], one["facts"]["orders"]) == (ana["id"], 2)
    assert (other["id"], other["facts"]["orders"]) == (ben["id"], 2)
    (told,) = [one for one in await api.world.activity() if one.type == "customer.unmerged"]
    assert (told.customer_id, told.data["from"]) == (ben["id"], ana["id"])
    listed = (await api.get("/v1/merges")).json()["items"]
    assert [(one["id"], one["undone_reason"]) for one in listed] == [(merged["id"], "two")]
    twice = await post(api, f"/v1/merges/{merged['id']}/undo", {"reason": "two"}, key="u-2")
    assert (twice.status_code, twice.json()["code"]) == (409, "already_undone")


async def test_a_merge_of_the_rules_can_be_undone_and_stays_so(api: Api):
    """Given an address and an id that the rules joined; when that is undone; then they stay two, also when they are
    seen together again, until somebody merges them."""
    await api.order(0, "1", email="x@example.com")
    await api.order(1, "2", id="ana")
    await api.order(2, "3", id="ana", email="x@example.com")
    (merged,) = (await api.get("/v1/merges")).json()["items"]
    assert merged["by"] == "rule"

    await post(api, f"/v1/merges/{merged['id']}/undo", {"reason": "her sister's"}, key="u-1")
    await api.order(3, "4", id="ana", email="x@example.com")
    await api.order(4, "5", email="x@example.com")

    assert (await customer(api, "ana"))["facts"]["orders"] == 3
    (sister,) = (await api.get("/v1/customers", q="x@example.com")).json()["items"]
    assert (await customer(api, sister["id"]))["facts"]["orders"] == 2
    assert (await merge(api, sister["id"], "ana")).status_code == 201
    assert (await customer(api, "ana"))["facts"]["orders"] == 5


async def test_what_two_ids_share_is_suggested_and_people_decide(api: Api):
    """Given two ids with one address; then they are two, and suggested; accepted they are one, dismissed never asked
    again."""
    for number, name in enumerate(("ana", "ben", "cem")):
        await api.order(number, f"{number}", id=name, email="family@example.com")
    assert len({(await customer(api, name))["id"] for name in ("ana", "ben", "cem")}) == 3
    found = (await api.get("/v1/customers/suggested-merges")).json()["items"]
    assert len(found) == 3
    assert {one["via"] for one in found} == {"email"}

    path = "/v1/customers/suggested-merges"
    accepted = await post(api, f"{path}/{found[0]['id']}/accept", {"reason": "one"}, key="a-1")
    dismissed = await post(api, f"{path}/{found[1]['id']}/dismiss", {}, key="d-1")

    assert (accepted.status_code, dismissed.status_code) == (201, 204)
    assert len({(await customer(api, name))["id"] for name in ("ana", "ben", "cem")}) == 2
    left = {one["id"] for one in (await api.get(path)).json()["items"]}
    assert left <= {found[2]["id"]}


async def test_an_address_of_many_links_nobody_and_suggests_nobody(world: World):
    """Given an address seen beside more ids than a family has; then it is nobody's: orders under it alone are of a
    customer of its own, and nobody is suggested for it."""
    for number in range(SHARED_ABOVE):
        await world.feed(placed(number, f"{number}", id=f"i{number}", email="shop"))
    await world.feed(placed(20, "alone", email="shop"))
    assert await world.rows("SELECT count(*) FROM scoring.customers") == [(SHARED_ABOVE,)]
    await world.feed(placed(30, "one-more", id="last", email="shop"))

    assert sorted(await world.rows("SELECT orders FROM scoring.customers")) == [(1,)] * (SHARED_ABOVE + 2)
    assert await world.rows("SELECT * FROM scoring.suggested_merges") == []


async def test_merges_beside_two_workers_lose_and_double_nothing(api: Api):
    """Given events of a few customers in flight on two workers; when people merge and undo meanwhile; then in the end
    states, orders and timelines are those of a world in which everything came one after the other."""
    luck = random.Random(5)
    names = [f"c{number}" for number in range(6)]
    for number, name in enumerate(names):
        await api.order(number, f"first-{name}", id=name)
    pseudonyms = dict(await api.world.rows("SELECT customer_id, pseudonym FROM scoring.identities"))
    by_name = {name: pseudonyms[(await customer(api, name))["id"]] for name in names}
    records = [
        placed(10 + luck.random() * 20, f"{number}", id=by_name[luck.choice(names)]) for number in range(120)
    ]

    async def worker(share: list[Any]) -> None:
        process = World(api.world.engine, api.world.now)
        while share:
            batch, share = share[:5], share[5:]
            await process.feed(*batch)

    async def people() -> None:
        for number in range(8):
            one, other = names[2 * (number % 2)], names[2 * (number % 2) + 1]
            answer = await merge(api, one, other, key=f"m-{number}")
            assert answer.status_code == 201, answer.text
            if number < 7:
                path = f"/v1/merges/{answer.json()['id']}/undo"
                assert (await post(api, path, {"reason": "no"}, key=f"u-{number}")).status_code == 200

    async with asyncio.timeout(90):
        await asyncio.gather(worker(records[::2]), worker(records[1::2]), people())

    owners = dict(await api.world.rows("SELECT pseudonym, customer_id FROM scoring.identities"))
    wrong = "SELECT count(*) FROM scoring.timeline t JOIN scoring.identities i ON i.pseudonym = t.subject"
    assert await api.world.rows(f"{wrong} WHERE i.customer_id <> t.customer_id") == [(0,)]
    assert await api.world.rows("SELECT count(*) FROM scoring.timeline") == [(126,)]
    assert len({owners[by_name[name]] for name in names}) == 5  # the last merge stands
    for name in names:
        same = {one for one in names if owners[by_name[one]] == owners[by_name[name]]}
        expected = len(same) + sum(one.subject in {by_name[n] for n in same} for one in records)
        assert (await customer(api, name))["facts"]["orders"] == expected
    told = [one.id for one in await api.world.activity() if one.type == "order.completed"]
    assert len(told) == len(set(told)) == 126


async def test_merges_as_of_a_moment_are_those_of_then(api: Api, clock: ManualClock):
    """Given a merge, undone later, and another one after that; then as of each moment the list of the customer is what
    it was then."""
    await api.order(0, "1", id="ana")
    await api.order(5, "2", id="ben")
    ana = (await customer(api, "ana"))["id"]
    lists = {40.0: []}
    for day, path, body in (
        (41, "/v1/customers/merge", {"from": "ben", "into": "ana", "reason": "one"}),
        (42, "/v1/merges/{last}/undo", {"reason": "two"}),
        (43, "/v1/customers/merge", {"from": "ben", "into": "ana", "reason": "one after all"}),
    ):
        clock.set(moment(day))
        last = lists[day - 1][0]["id"] if lists[day - 1] else ""
        assert (await post(api, path.format(last=last), body, key=f"k-{day}")).status_code in {200, 201}
        lists[float(day)] = (await api.get("/v1/merges", customer=ana)).json()["items"]

    assert [len(one) for one in lists.values()] == [0, 1, 1, 2]
    assert lists[41] != lists[42]
    for day, then in lists.items():
        again = await api.get("/v1/merges", customer=ana, at=moment(day).isoformat())
        assert again.json()["items"] == then, day
