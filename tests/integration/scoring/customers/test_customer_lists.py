"""`GET /v1/customers` by tag, and by words together with other filters."""

from typing import Any

import pytest

from tests.integration.scoring.api import Api
from tests.support.clock import ManualClock
from tests.support.life import moment


async def found(api: Api, **query: Any) -> list[str]:
    """The ids of the page that answers."""
    answer = await api.get("/v1/customers", **query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def ids(api: Api, *refs: str) -> list[str]:
    """Our ids of customers by the shop's."""
    return [(await api.get(f"/v1/customers/{ref}")).json()["id"] for ref in refs]


async def tag_of(api: Api, ref: str) -> str:
    """A tag of a customer."""
    return str((await api.get(f"/v1/customers/{ref}")).json()["tags"][-1])


@pytest.fixture
async def shop(api: Api) -> Api:
    """Ana said that she loves the brand, Ben that he would rather have it quicker; Cem said nothing."""
    for day, (name, text) in enumerate(
        (("ana", "I love this brand!"), ("ben", "I wish the delivery was quicker."), ("cem", None))
    ):
        await api.order(day, f"{name}-1", id=name, email=f"{name}@example.com")
        if text:
            said = await api.sealed("review.posted", day + 1, {"id": name}, {"rating": 4}, text=text)
            await api.world.feed(said)
    await api.order(4, "ben-2", id="ben")
    return api


async def test_a_tag_lists_those_who_have_it(shop: Api):
    """Given customers with one tag, another, and none; when listed by a tag; then those with it are there, in any
    order that was asked for; nobody has a tag that nothing gives."""
    ana, ben = await ids(shop, "ana", "ben")
    tag = await tag_of(shop, "ana")
    other = await tag_of(shop, "ben")

    assert tag != other
    for sort in ("id", "-spend", "last_order_at"):
        assert await found(shop, tag=tag, sort=sort) == [ana]
        assert await found(shop, tag=other, sort=sort) == [ben]
    assert await found(shop, tag="no-such-tag") == []


async def test_a_tag_goes_together_with_stage_and_segment(shop: Api):
    """Given Ana with one order and Ben with two; when listed by Ben's tag and a segment; then both must hold."""
    (ben,) = await ids(shop, "ben")
    tag = await tag_of(shop, "ben")
    stage = (await shop.get("/v1/customers/ben")).json()["stage"]

    assert await found(shop, tag=tag, stage=stage) == [ben]
    assert await found(shop, tag=tag, segment="one-time") == []
    assert await found(shop, tag=tag, stage="churned") == []


async def test_a_tag_that_has_faded_lists_nobody(shop: Api, clock: ManualClock):
    """Given a tag; when two years have passed in which nothing gave it, and nobody has looked at the customer since;
    then neither the profile nor the list shows it."""
    tag = await tag_of(shop, "ben")
    clock.set(moment(730))

    assert (await shop.get("/v1/customers/ben")).json()["tags"] == []
    assert await found(shop, tag=tag) == []


async def test_pages_by_tag_leave_nobody_out(api: Api):
    """Given five customers of whom four have a tag; when listed by it two by two; then each of the four comes once."""
    for number in range(5):
        await api.order(0, f"{number}", id=f"c{number}")
        if number != 2:
            said = await api.sealed(
                "review.posted", 1, {"id": f"c{number}"}, {"rating": 5}, text="I love this brand!"
            )
            await api.world.feed(said)
    tag = await tag_of(api, "c0")
    seen: list[str] = []
    query: dict[str, Any] = {"tag": tag, "limit": 2}
    while True:
        page = (await api.get("/v1/customers", **query)).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]

    assert sorted(seen) == sorted(await ids(api, "c0", "c1", "c3", "c4"))


async def test_words_find_only_who_also_passes_the_other_filters(shop: Api):
    """Given Ana, of the segment of one-time buyers, with a tag; when she is looked for by her address with a segment,
    a tag or a stage; then she is found where she is in it, and nobody where she is not."""
    (ana,) = await ids(shop, "ana")
    profile = (await shop.get("/v1/customers/ana")).json()
    tag, stage = profile["tags"][-1], profile["stage"]
    bens = await tag_of(shop, "ben")

    for q in ("ana@example.com", "ana", ana):
        assert await found(shop, q=q) == [ana]
        assert await found(shop, q=q, segment="one-time", tag=tag, stage=stage) == [ana]
        assert await found(shop, q=q, segment="big-spenders") == []
        assert await found(shop, q=q, tag=bens) == []
        assert await found(shop, q=q, stage="churned") == []
    assert await found(shop, q="ben@example.com", segment="one-time") == []
