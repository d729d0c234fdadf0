"""`GET /v1/customers/{customer}/identifiers`: by what a customer is known."""

from typing import Any

from structlog.testing import capture_logs

from services.scoring.domain.identity.identifiers import SHARED_ABOVE
from tests.integration.scoring.api import Api
from tests.support.life import moment

PATH = "/v1/customers/c-42/identifiers"


async def listed(api: Api, path: str = PATH, **query: Any) -> list[dict[str, Any]]:
    """What is answered, page by page."""
    items: list[dict[str, Any]] = []
    while True:
        answer = await api.get(path, **query)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if answer.json()["next"] is None:
            return items
        query["cursor"] = answer.json()["next"]


async def test_identifiers_are_listed_with_when_they_were_seen(api: Api):
    """Given orders under an id with two addresses; when the identifiers are listed; then each has its value, its first
    and last event and how many there were: the strongest kind first, of one kind the oldest first."""
    await api.order(3, "2", id="c-42", email="ana@example.com")
    await api.order(1, "1", id="c-42", email="Old@example.com")
    await api.order(5, "3", email="ana@example.com")

    found = await listed(api)

    seen = [
        (one["kind"], one["value"], one["first_seen_at"], one["last_seen_at"], one["events"]) for one in found
    ]
    days = {day: moment(day).isoformat().replace("+00:00", "Z") for day in (1, 3, 5)}
    assert seen == [
        ("id", "c-42", days[1], days[3], 2),
        ("email", "Old@example.com", days[1], days[1], 1),
        ("email", "ana@example.com", days[3], days[5], 2),
    ]
    assert [(one["shared"], one["own"], one["note"]) for one in found] == [(False, True, None)] * 3
    assert await listed(api, limit=1) == found


async def test_values_are_for_keys_that_may_see_them_and_each_look_is_recorded(api: Api):
    """Given a key that may not see personal data; when it lists identifiers; then it has all but their values, and a
    note why; a key that may is recorded with whom it looked at."""
    await api.order(1, "1", id="c-42", email="ana@example.com")
    with capture_logs() as logs:
        hidden = await api.get(PATH, key="impersonal")
    assert "personal_data_read" not in {one["event"] for one in logs}
    assert "ana@" not in hidden.text
    assert "c-42" not in hidden.text
    assert [(one["kind"], one["value"]) for one in hidden.json()["items"]] == [("id", None), ("email", None)]
    assert {one["note"] for one in hidden.json()["items"]} == {
        "Personal fields are shown to keys with the scope personal:read."
    }

    with capture_logs() as logs:
        await api.get(PATH)
    looked = [one for one in logs if one["event"] == "personal_data_read"]
    assert [one["customer_id"] for one in looked] == [(await api.get("/v1/customers/c-42")).json()["id"]]


async def test_shared_ones_belong_to_nobody_and_contested_ones_to_the_first(api: Api):
    """Given an address beside many ids, and one beside two; when theirs is listed; then the one says that it is shared,
    the other whose it is: as of a moment before, what was true then."""
    for number in range(SHARED_ABOVE + 1):
        await api.order(number, f"s{number}", id=f"c-{40 + number}", email="shop@example.com")
    for number, who in enumerate(("c-43", "c-42")):
        await api.order(20 + number, f"f{number}", id=who, email="family@example.com")

    def told(found: list[dict[str, Any]]) -> dict[str, tuple[bool, bool]]:
        return {one["value"]: (one["shared"], one["own"]) for one in found}

    assert told(await listed(api)) == {
        "c-42": (False, True),
        "shop@example.com": (True, False),
        "family@example.com": (False, False),
    }
    assert told(await listed(api, PATH.replace("42", "43")))["family@example.com"] == (False, True)
    before = await listed(api, at=moment(4.5).isoformat())
    assert told(before)["shop@example.com"][0] is False
    assert "family@example.com" not in told(before)


async def test_whoever_is_not_known_is_a_404(api: Api):
    """Given a customer; when a stranger's are asked for, or theirs at a moment before; then nobody is known."""
    await api.order(1, "1", id="c-42")
    for answer in (
        await api.get("/v1/customers/nobody/identifiers"),
        await api.get(PATH, at=moment(0).isoformat()),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_customer")
