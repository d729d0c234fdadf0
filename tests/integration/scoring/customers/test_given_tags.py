"""Tags that were given: by a campaign's own event, or by the shop's."""

from typing import Any

from shared.contracts.events import EventRecord
from shared.vault.pseudonyms import Pseudonyms
from tests.conftest import SECRET
from tests.integration.scoring.api import Api
from tests.support.life import moment, record

ANA = {"id": "c-42", "email": "ana@example.com"}


def tagged(day: float, type_: str = "customer.tagged", **data: Any) -> EventRecord:
    """An event of our own about Ana."""
    return record(type_, moment(day), data, identifiers={"id": Pseudonyms(SECRET).of("id", "c-42")})


async def tags(api: Api, **query: str) -> list[dict[str, Any]]:
    """What the API shows of them."""
    return (await api.get("/v1/customers/c-42/tags", **query)).json()["tags"]


async def test_a_tag_that_a_campaign_gave_is_shown_with_who_gave_it(api: Api) -> None:
    """Given a customer tagged by a campaign; when the tags are asked for; then it is there with its event, also as it
    stood before, is found by it, and is gone when it was taken away."""
    await api.order(0, "1", id="c-42")
    given = tagged(5, tag="winback", by="we-miss-you")
    await api.world.feed(given)

    (tag,) = await tags(api)
    assert (tag["name"], tag["count"]) == ("winback", 1)
    (evidence,) = tag["evidence"]
    assert (evidence["type"], evidence["field"], evidence["by"], evidence["words"]) == (
        "customer.tagged",
        "tag",
        "we-miss-you",
        None,
    )
    assert (await api.get("/v1/customers/c-42")).json()["tags"] == ["winback"]
    assert len((await api.get("/v1/customers", tag="winback")).json()["items"]) == 1
    assert await tags(api, at=moment(4).isoformat()) == []

    await api.world.feed(tagged(6, "customer.untagged", tag="winback"))
    assert await tags(api) == []


async def test_a_tag_of_both_kinds_has_the_evidence_of_both(api: Api) -> None:
    """Given a customer whose words and whose shop say the same; when the tags are asked for; then it is one tag."""
    await api.world.feed(await api.sealed("review.posted", 1, ANA, {"rating": 5}, text="I love this brand!"))
    await api.world.feed(tagged(2, tag="loyalty-indicator", by="Kim"))

    (tag,) = await tags(api)

    assert (tag["name"], tag["count"]) == ("loyalty-indicator", 2)
    assert [one["type"] for one in tag["evidence"]] == ["customer.tagged", "review.posted"]
