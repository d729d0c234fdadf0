"""Alerts on the real API: listed, taken on, closed with a note, and the customer hears of it if so decided."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.alerts.alert import NewAlert
from shared.alerts.raising import raise_alerts
from shared.vault.subject_keys import SubjectKeys
from tests.conftest import SECRET
from tests.integration.scoring.api import Api
from tests.integration.scoring.identity.test_merges import merge
from tests.support.life import moment

NOTE = "Called Ana: the mug came broken, a new one is on its way."


async def post(api: Api, path: str, body: Any, *, key: str = "all") -> httpx.Response:
    """POST with the key of that name."""
    headers = {"Authorization": f"Bearer {api._tokens[key]}"}
    headers["Content-Type"] = "application/json"
    return await api.client.post(path, content=json.dumps(body), headers=headers)


async def raised(
    api: Api, cause: str = "act-1", *, customer: str = "ana", days: float = 30, **more: Any
) -> str:
    """An alert about a customer (the shop: empty), raised on a day; its id."""
    named = (await api.get(f"/v1/customers/{customer}")).json()["id"] if customer else ""
    given = {"kind": "loyal-at-risk", "rule": "save-loyal", "details": {"orders": 9}} | more
    alert = NewAlert(cause=cause, at=moment(days), customer_id=named, **given)
    async with api.world.engine.begin() as connection:
        await raise_alerts(connection, [alert])
    return alert.id


@pytest.fixture
async def ana(api: Api) -> Api:
    """A shop whose customer Ana has ordered."""
    await api.order(0, "1", id="ana", email="ana@example.com")
    return api


async def test_what_is_raised_is_listed_newest_first_and_page_by_page(ana: Api) -> None:
    """Given alerts of several kinds; when they are listed, filtered and paged; then each is where it belongs."""
    await ana.order(1, "2", id="ben")
    first = await raised(ana, "a", days=30)
    second = await raised(ana, "b", customer="ben", days=31)
    third = await raised(ana, "c", customer="", kind="falling-opens", days=32, rule=None)

    async def ids(**query: Any) -> list[str]:
        answer = await ana.get("/v1/alerts", **query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    assert await ids() == [third, second, first]
    assert await ids(kind="loyal-at-risk") == [second, first]
    assert await ids(customer="ben") == [second]
    assert await ids(state="closed") == []
    page = (await ana.get("/v1/alerts", limit=2)).json()
    rest = (await ana.get("/v1/alerts", limit=2, cursor=page["next"])).json()
    assert [one["id"] for one in page["items"] + rest["items"]] == [third, second, first]
    assert rest["next"] is None
    one = (await ana.get(f"/v1/alerts/{third}")).json()
    assert (one["customer"], one["campaign"], one["state"], one["times"]) == (None, None, "open", 1)


async def test_an_alert_is_taken_on_closed_and_gone_from_the_list(ana: Api) -> None:
    """Given an alert; when somebody takes it on and closes it with a note; then it says so, once and for all."""
    id_ = await raised(ana)
    taken = await post(ana, f"/v1/alerts/{id_}/assign", {"to": "support"})
    assert taken.json()["assigned_to"] == "support"
    assert [one["id"] for one in (await ana.get("/v1/alerts", assigned_to="support")).json()["items"]] == [
        id_
    ]

    closed = await post(ana, f"/v1/alerts/{id_}/close", {"note": NOTE})
    assert closed.status_code == 200
    shown = closed.json()
    assert (shown["state"], shown["note"], shown["tell"], shown["assigned_to"]) == (
        "closed",
        NOTE,
        False,
        "support",
    )
    assert (await ana.get("/v1/alerts")).json()["items"] == []
    again = await post(ana, f"/v1/alerts/{id_}/close", {"note": NOTE})
    assert again.json() == shown
    assert await ana.world.activity() == [
        one for one in await ana.world.activity() if one.type != "alert.closed"
    ]


async def test_the_customer_hears_of_it_only_if_so_decided_and_once(ana: Api) -> None:
    """Given an alert; when it is closed with `tell`, twice; then the activity stream says so once, with the customer's
    facts and no word of the note."""
    id_ = await raised(ana)
    for _ in range(2):
        assert (await post(ana, f"/v1/alerts/{id_}/close", {"note": NOTE, "tell": True})).status_code == 200

    (told,) = [one for one in await ana.world.activity() if one.type == "alert.closed"]
    assert told.data == {"kind": "loyal-at-risk", "alert_id": id_, "campaign": "save-loyal", "days": 10}
    assert told.facts.orders == 1
    assert (told.time, told.part, told.historical) == (moment(40), "", False)


async def test_a_merged_customer_is_told_under_the_id_that_stays(ana: Api) -> None:
    """Given an alert about a customer who was merged into another since; when it is closed with `tell`; then the one
    who is left is told."""
    await ana.order(1, "2", id="ben")
    id_ = await raised(ana, customer="ben")
    await merge(ana, "ben", "ana")
    await post(ana, f"/v1/alerts/{id_}/close", {"note": NOTE, "tell": True})

    (told,) = [one for one in await ana.world.activity() if one.type == "alert.closed"]
    assert told.customer_id == (await ana.get("/v1/customers/ana")).json()["id"]
    assert told.facts.orders == 2
    assert told.part != ""


async def test_notes_rest_sealed_and_only_keys_that_may_see_them_read_them(ana: Api) -> None:
    """Given a closed alert; when it is looked at in the database, by a key without personal:read, and after the
    customer's key was destroyed; then the note is nowhere to be read."""
    id_ = await raised(ana)
    await post(ana, f"/v1/alerts/{id_}/close", {"note": NOTE})

    ((stored,),) = await ana.world.rows("SELECT a::text FROM platform.alerts a")
    assert NOTE not in stored
    assert NOTE.encode().hex() not in stored
    hidden = (await ana.get(f"/v1/alerts/{id_}", key="impersonal")).json()
    assert hidden["note"] is None
    assert hidden["hidden"]
    ((subject,),) = await ana.world.rows("SELECT note_subject FROM platform.alerts")
    async with ana.world.engine.begin() as connection:
        await SubjectKeys(SECRET).destroy(connection, [subject])
    gone = await ana.get(f"/v1/alerts/{id_}")
    assert (gone.status_code, gone.json()["note"]) == (200, None)


REFUSED: dict[str, tuple[str, Any, int, str]] = {
    "no note": ("close", {"note": "   "}, 422, "/note"),
    "NUL in the note": ("close", {"note": "a\0b"}, 422, "/note"),
    "a note too long": ("close", {"note": "x" * 2001}, 422, "/note"),
    "a tell that is no truth": ("close", {"note": "x", "tell": "yes"}, 422, "/tell"),
    "an unknown key": ("close", {"note": "x", "notify": True}, 422, "/notify"),
    "nobody named": ("assign", {}, 422, "/to"),
    "an address": ("assign", {"to": "eve@example.com"}, 422, "/to"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_bad_input_is_named_and_changes_nothing(ana: Api, what: str) -> None:
    """Given an alert; when a request about it is wrong; then the problem points at it, and nothing has changed."""
    path, body, status, pointer = REFUSED[what]
    id_ = await raised(ana)
    before = await ana.world.rows("SELECT a::text FROM platform.alerts a")

    answer = await post(ana, f"/v1/alerts/{id_}/{path}", body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), answer.text
    assert await ana.world.rows("SELECT a::text FROM platform.alerts a") == before


async def test_what_does_not_fit_the_state_of_things_is_refused(ana: Api) -> None:
    """Given a closed alert, one about the shop, and none; when they are closed otherwise, told or assigned; then each
    is refused with its code."""
    closed, of_shop = await raised(ana), await raised(ana, customer="", kind="falling-opens")
    await post(ana, f"/v1/alerts/{closed}/close", {"note": NOTE})
    unknown = "alr_" + "0" * 32
    tries = {
        (closed, "close", "x"): (409, "alert_closed"),
        (closed, "assign", "x"): (409, "alert_closed"),
        (unknown, "close", "x"): (404, "unknown_alert"),
        (unknown, "assign", "x"): (404, "unknown_alert"),
    }
    for (id_, path, word), expected in tries.items():
        answer = await post(ana, f"/v1/alerts/{id_}/{path}", {"note" if path == "close" else "to": word})
        assert (answer.status_code, answer.json()["code"]) == expected
    nobody = await post(ana, f"/v1/alerts/{of_shop}/close", {"note": NOTE, "tell": True})
    assert (nobody.status_code, nobody.json()["errors"][0]["code"]) == (422, "nobody_to_tell")
    assert (await ana.get("/v1/alerts", customer="nobody")).status_code == 404
    assert (await ana.get(f"/v1/alerts/{unknown}")).status_code == 404
    assert (await ana.get(f"/v1/alerts/{closed}", key="other")).status_code == 403
    assert (
        await post(ana, f"/v1/alerts/{of_shop}/close", {"note": "x"}, key="impersonal")
    ).status_code == 403
    assert (
        await post(ana, f"/v1/alerts/{of_shop}/close", {"note": "Checked: a campaign ended."})
    ).status_code == 200


async def test_reason_after_closing_raises_another(ana: Api) -> None:
    """Given a closed alert; when there is reason again; then another is open, and both are in the list of all."""
    first = await raised(ana, "a", days=20)
    await post(ana, f"/v1/alerts/{first}/close", {"note": NOTE})
    second = await raised(ana, "b", days=20 + timedelta(hours=1) / timedelta(days=1))
    shown = (await ana.get("/v1/alerts", state="all")).json()["items"]
    assert [(one["id"], one["state"]) for one in shown] == [(second, "open"), (first, "closed")]
