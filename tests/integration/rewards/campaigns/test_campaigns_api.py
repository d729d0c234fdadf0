"""Campaigns over HTTP: which there are, which began for a customer, and why a customer got what they gave."""

import httpx

from tests.integration.rewards.campaigns.campaigning import lapsed, run_program
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, activity

MISS_YOU = (
    "{id: we-miss-you, on: stage.changed, when: \"event.to == 'lapsed'\","
    " do: [{message: hello}, {offer: miss-you}, {points: 50}], at_most: {times: 1, per: P90D},"
    " success: {on: order.completed, within: P30D}}"
)
HELP = (
    "{id: help, on: login.missing, after: P14D, holdout: 10%,"
    " variants: {a: {share: 30%, do: [{message: hello}]}, b: {do: [{message: again}]}}}"
)


async def test_the_campaigns_of_the_program_are_listed(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given two campaigns; when they are asked for; then both are told in the order of the file, in plain words."""
    await run_program(rewards, MISS_YOU, HELP)
    first, second = (await api.get("/v1/campaigns")).json()["items"]
    assert (first["id"], first["do"]) == ("we-miss-you", ["message hello", "offer miss-you", "50 points"])
    assert first["success"] == "order.completed within P30D"
    assert (second["after"], second["holdout"]) == ("P14D", "10")
    assert [(one["id"], one["share"]) for one in second["variants"]] == [("a", "30"), ("b", "70")]
    assert "after 14 days" in second["description"]


async def test_one_campaign_says_how_its_runs_stand(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a campaign that began twice; when it is asked for; then it says so; one that is not there is a 404."""
    await run_program(rewards, MISS_YOU)
    await rewards.happen(lapsed("a"), lapsed("b", customer="cus_000000000000000000000002"))
    told = (await api.get("/v1/campaigns/we-miss-you")).json()
    assert (told["runs"], told["reached"]) == ({"done": 2}, 0)
    assert "we-miss-you" in told["text"]

    gone = await api.get("/v1/campaigns/we-miss-them")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


async def test_a_customers_runs_are_told_newest_first_and_paged(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given runs of three campaigns; when a customer's are asked for page by page; then all come, newest first."""
    await run_program(
        rewards,
        *(f"{{id: c{one}, on: x.seen, after: P{one}D, do: [{{message: hello}}]}}" for one in (1, 2, 3)),
    )
    for one in range(2):
        await rewards.happen(activity("x.seen", f"seen-{one}"))
    url, seen = f"/v1/customers/{CUSTOMER}/campaigns?limit=4", []
    page = (await api.get(url)).json()
    seen += page["items"]
    page = (await api.get(url, params={"limit": 4, "cursor": page["next"]})).json()
    seen += page["items"]
    assert (len(seen), page["next"]) == (6, None)
    assert {one["state"] for one in seen} == {"waiting"}
    assert len({one["run"] for one in seen}) == 6
    assert (await api.get("/v1/customers/nobody/campaigns")).status_code == 404


async def test_what_a_campaign_gave_is_explained(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given points and a code of a campaign; when the customer asks why; then the rule, as the file states it, its
    version, the event and the facts of that moment answer."""
    await run_program(rewards, MISS_YOU)
    await rewards.happen(lapsed(facts={"stage": "lapsed"}))
    (entry,) = (await api.get(f"/v1/customers/{CUSTOMER}/ledger")).json()["items"]
    why = (await api.get(f"/v1/customers/{CUSTOMER}/explain", params={"ledger_entry": entry["id"]})).json()
    assert why["sentence"].startswith("50 points earned by rule we-miss-you of program version 2")
    assert (why["rule"], why["program_version"]) == ("we-miss-you", 2)
    assert why["event"]["type"] == "stage.changed"
    assert why["facts"]["stage"] == "lapsed"
    assert "id: we-miss-you" in why["rule_text"]

    (offer,) = (await api.get(f"/v1/customers/{CUSTOMER}/offers")).json()["items"]
    why = (await api.get(f"/v1/customers/{CUSTOMER}/explain", params={"offer": offer["code"]})).json()
    assert (why["rule"], why["event"]["type"]) == ("we-miss-you", "stage.changed")

    event = await api.get(f"/v1/customers/{CUSTOMER}/explain", params={"event": lapsed().id})
    told = {one["rule"]: one["sentence"] for one in event.json()["rules"]}
    assert told["we-miss-you"].startswith(
        "Campaign we-miss-you of program version 2 brought message hello and offer miss-you and 50 points"
    )


async def test_the_summary_counts_what_campaigns_did(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a campaign that wrote twice and one that tagged; when all is summed up; then each is there, most first."""
    await run_program(
        rewards,
        "{id: tags, on: ticket.opened, do: [{tag: t}]}",
        "{id: writes, on: x.seen, do: [{message: hello}]}",
    )
    seen = [activity("x.seen", name) for name in ("a", "b")]
    await rewards.happen(*seen, activity("ticket.opened", "t", ticket_id="7"))
    found = (await api.get("/v1/summary")).json()["campaigns"]
    assert list(found.items()) == [
        ("writes", {"runs": 2, "messages": 2}),
        ("tags", {"runs": 1, "messages": 0}),
    ]


async def test_a_tier_by_hand_is_an_occasion_too(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a campaign on reaching gold; when gold is given by hand; then the customer is welcomed, once."""
    await run_program(
        rewards, "{id: welcome, on: tier.changed, when: \"event.to == 'gold'\", do: [{message: hello}]}"
    )
    await rewards.happen(activity("page.viewed", "p", facts={"orders": 2}))
    body = {"tier": "gold", "until": "2026-09-01T00:00:00Z", "reason": "a friend of the house"}
    url, headers = f"/v1/customers/{CUSTOMER}/tier/grants", {"Idempotency-Key": "g-1"}
    for _ in range(2):
        assert (await api.post(url, json=body, headers=headers)).status_code == 201
    (message,) = [one for one in await rewards.outcomes() if one.type == "message.due"]
    assert message.data["context"]["customer"]["orders"] == 2
    assert message.data["context"]["tier"] == "Gold"
