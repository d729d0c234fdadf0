"""What users of other loyalty systems reported, as they reported it, on the real parts: each case a test by its number.

Segments (mautic#8113) stand where their part is: in `tests/integration/scoring/segments/test_known_bugs_of_others.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import Result

from tests.integration.deploy.test_commands import regulars  # noqa: F401  # a fixture
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.spending.test_checkout import end, reserve
from tests.integration.rewards.test_api import get
from tests.unit.rewards.building import CUSTOMER, NOW, activity, order, refund

OTHER = "cus_000000000000000000000002"


async def available(api: httpx.AsyncClient, customer: str = CUSTOMER) -> int:
    """The points that a customer can spend."""
    answer = await api.get(f"/v1/customers/{customer}/points")
    assert answer.status_code == 200, answer.text
    return int(answer.json()["available"])


class TestPointsTwice:
    """odoo#222372: a till that loses its connection confirms the order twice, and the points count twice."""

    async def test_an_order_synced_twice_earns_once(self, rewards: Rewards, api: httpx.AsyncClient) -> None:
        """Given an offline till whose answer got lost; when it syncs the order again, also under a new event id, and
        twice in one batch; then it has earned once."""
        again = order("1001", "49.20", name="sync-after-reconnect")
        await rewards.happen(order("1001", "49.20"))
        await rewards.happen(order("1001", "49.20"), again)
        await rewards.happen(again, order("1001", "49.20"), again)

        assert await available(api) == 49
        assert [item["kind"] for item in (await get(api, "ledger"))["items"]] == ["earn"]
        await rewards.check()

    async def test_a_redemption_confirmed_twice_spends_once(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given a checkout that never saw the answers; when it reserves and confirms again, also at once; then it spent
        once."""
        await rewards.happen(order("1", "500"))
        reserved = await asyncio.gather(*(reserve(api, 300, "checkout-77") for _ in range(5)))
        confirmed = await asyncio.gather(*(end(api, answer, "confirm") for answer in reserved))

        assert {answer.status_code for answer in confirmed} == {200}
        assert await available(api) == 200
        await rewards.check()


class TestRefunds:
    """odoo#257854: who buys and refunds keeps the points; odoo#212922: the refund spends the points once more."""

    async def test_buying_and_refunding_over_and_over_earns_nothing(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given somebody who buys and gives back ten times, in parts and in whole; then no point is left."""
        for number in range(10):
            id_ = str(number)
            await rewards.happen(order(id_, "49.20"), refund(id_, f"a{id_}", "20.00"))
            await rewards.happen(refund(id_, f"b{id_}", "29.20"))

        assert await available(api) == 0
        assert (await get(api, "points"))["lifetime_earned"] == 0
        await rewards.check()

    async def test_a_refund_after_the_points_were_spent_works_and_is_owed(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given points of an order that are spent already; when the order is refunded; then it does not fail, they are
        owed, and the next order pays for them."""
        await rewards.happen(order("1", "300"))
        await end(api, await reserve(api, 300, "k"), "confirm")
        await rewards.happen(refund("1", "r", "300"))
        assert await available(api) == -300

        await rewards.happen(order("2", "500"))

        assert await available(api) == 200
        await rewards.check()

    async def test_refunding_an_order_paid_with_points_does_not_spend_them_again(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given an order of which 100 points paid a part; when it is refunded; then what it earned goes, and the points
        that it was paid with come back, not away a second time."""
        await rewards.happen(order("1", "500"))
        await end(api, await reserve(api, 100, "k", order_id="2"), "confirm")
        await rewards.happen(order("2", "49.00"))
        assert await available(api) == 449

        await rewards.happen(refund("2", "r", "49.00"))

        spent = [item["amount"] for item in (await get(api, "ledger"))["items"] if item["kind"] == "confirm"]
        assert spent == [100]
        assert await available(api) == 500
        await rewards.check()


class TestExpiry:
    """odoo#206048: what is spent is not tied to what was earned, so expiry takes points that were spent already."""

    async def test_what_was_spent_does_not_expire_once_more(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given 100 points of January and 100 of April, of which 100 are spent; when January's year is over; then none
        expires, and April's 100 stay until their own day."""
        january, april = datetime(2026, 1, 10, 12, tzinfo=UTC), datetime(2026, 4, 10, 12, tzinfo=UTC)
        await rewards.happen(order("1", "100", at=january), order("2", "100", at=april))
        await end(api, await reserve(api, 100, "k"), "confirm")

        rewards.clock.set(datetime(2027, 1, 12, 12, tzinfo=UTC))
        await rewards.pass_time()
        assert await available(api) == 100

        rewards.clock.set(datetime(2027, 4, 12, 12, tzinfo=UTC))
        await rewards.pass_time()
        assert await available(api) == 0
        expired = [item for item in (await get(api, "ledger"))["items"] if item["kind"] == "expire"]
        assert [item["amount"] for item in expired] == [100]
        await rewards.check()

    async def test_points_put_aside_before_midnight_are_spent_after_it(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given points reserved in the last minutes of their day; when they are confirmed after midnight; then they
        are spent and do not expire, whatever the timed jobs did between."""
        await rewards.happen(order("1", "100", at=datetime(2026, 1, 10, 12, tzinfo=UTC)))
        rewards.clock.set(datetime(2027, 1, 11, 4, 55, tzinfo=UTC))  # 23:55 on the 10th in New York
        reserved = await reserve(api, 100, "k")
        rewards.clock.set(datetime(2027, 1, 11, 5, 5, tzinfo=UTC))
        await rewards.pass_time()
        confirmed = await end(api, reserved, "confirm")
        await rewards.pass_time()

        assert (reserved.status_code, confirmed.status_code) == (201, 200)
        kinds = [item["kind"] for item in (await get(api, "ledger"))["items"]]
        assert kinds == ["confirm", "reserve", "earn"]
        await rewards.check()


class TestTiers:
    """open-loyalty#131: tiers follow the balance; erpnext#14930, #45450: the minimum spend is ignored."""

    async def test_spending_points_does_not_cost_the_tier(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given Gold by 250 spent; when all points are spent, and others expire; then Gold stays for its time."""
        await rewards.happen(order("1", "250"))
        await end(api, await reserve(api, 250, "k"), "confirm")
        rewards.clock.advance(timedelta(days=300))
        await rewards.pass_time()

        assert await available(api) == 0
        assert (await get(api, "tier"))["tier"] == "gold"

    async def test_points_given_by_hand_do_not_make_a_tier(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given a balance of thousands that was not bought for; then the tier is that of the spend."""
        await rewards.happen(order("1", "10"))
        await api.post(
            "/v1/adjustments",
            json={"customer": CUSTOMER, "points": 5000, "reason": "sorry"},
            headers={"Idempotency-Key": "a"},
        )

        assert (await get(api, "tier"))["tier"] == "member"

    async def test_the_second_order_is_not_the_second_tier(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given Gold from 200.01 on; when small orders add up; then Gold comes with the cent that reaches it, no order
        before."""
        tiers = []
        for number, total in enumerate(["50.00", "50.00", "100.00", "0.01"]):
            await rewards.happen(order(str(number), total))
            tiers.append((await get(api, "tier"))["tier"])

        assert tiers == ["member", "member", "member", "gold"]

    async def test_the_highest_tier_can_be_reached(self, rewards: Rewards, api: httpx.AsyncClient) -> None:
        """Given Platinum from 2000 on; when that is spent in one order or in many; then both are Platinum."""
        await rewards.happen(order("1", "2000"))
        await rewards.happen(*(order(f"o{n}", "200", customer=OTHER) for n in range(10)))

        assert (await get(api, "tier"))["tier"] == "platinum"
        assert (await api.get(f"/v1/customers/{OTHER}/tier")).json()["tier"] == "platinum"


class TestMerges:
    """mautic#5964: 50 and 100 points merge to 100 or 200; odoo#171706: the merged points cannot be spent."""

    async def test_fifty_and_a_hundred_are_a_hundred_and_fifty(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given 50 points and 100; when the two are merged, and read again, under either id; then 150."""
        await rewards.happen(order("1", "50"), order("2", "100", customer=OTHER))
        await rewards.happen(activity("customer.merged", "m", **{"from": OTHER}))

        assert [await available(api) for _ in range(2)] == [150, 150]
        assert await available(api, OTHER) == 150
        await rewards.check()

    async def test_merged_points_are_spent_as_one(self, rewards: Rewards, api: httpx.AsyncClient) -> None:
        """Given 100 points and 200 merged; when 300 are spent at once under the old id; then they are, and none is
        left behind."""
        await rewards.happen(order("1", "100"), order("2", "200", customer=OTHER))
        await rewards.happen(activity("customer.merged", "m", **{"from": OTHER}))
        answer = await end(api, await reserve(api, 300, "k", customer=OTHER), "confirm")

        assert answer.status_code == 200, answer.text
        assert (await available(api), await available(api, OTHER)) == (0, 0)
        await rewards.check()

    async def test_nobody_is_stranded(self, rewards: Rewards, api: httpx.AsyncClient) -> None:
        """Given a merged customer; when the shop goes on with the old id; then orders and questions reach the one who
        stayed."""
        await rewards.happen(order("1", "100"), order("2", "200", customer=OTHER))
        await rewards.happen(activity("customer.merged", "m", **{"from": OTHER}))
        await rewards.happen(order("3", "30", customer=OTHER))

        assert (await available(api), await available(api, OTHER)) == (330, 330)
        for path in ("ledger", "tier", "offers"):
            assert (await api.get(f"/v1/customers/{OTHER}/{path}")).status_code == 200


class TestTimeZones:
    """odoo#222428: an offer is valid by the visitor's clock in the cart and expired by the server's at the payment."""

    @pytest.mark.parametrize(
        "headers", [{}, {"Accept-Language": "en-US", "Time-Zone": "America/Los_Angeles"}]
    )
    async def test_cart_and_payment_agree_to_the_moment(
        self, rewards: Rewards, api: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        """Given a code; when it is checked and redeemed a second before its end, from wherever; then both take it; and
        a second later, both refuse it."""
        await rewards.happen(order("5", "10", facts={"orders": 5}))
        ((code, until),) = await rewards.rows("SELECT code, valid_until FROM rewards.offers")
        cart = {"customer": CUSTOMER, "order": {"id": "77", "total": "20.00", "currency": "USD"}}

        async def use(what: str) -> httpx.Response:
            key = {"Idempotency-Key": f"{what}-{rewards.clock().timestamp()}", **headers}
            return await api.post(f"/v1/offers/{code}/{what}", json=cart, headers=key)

        rewards.clock.set(until)
        late = [(await use("validate")).json()["valid"], (await use("redeem")).status_code]
        rewards.clock.set(until - timedelta(seconds=1))
        in_time = [(await use("validate")).json()["valid"], (await use("redeem")).status_code]

        assert (in_time, late) == ([True, 200], [False, 409])

    async def test_a_day_is_the_program_s_for_points_too(
        self, rewards: Rewards, api: httpx.AsyncClient
    ) -> None:
        """Given points whose last day is the 10th in New York; when it is the 11th in UTC there; then they can still be
        spent, and what the API shows is what the checkout takes."""
        await rewards.happen(order("1", "100", at=datetime(2026, 1, 10, 12, tzinfo=UTC)))
        rewards.clock.set(datetime(2027, 1, 11, 4, 59, 59, tzinfo=UTC))
        await rewards.pass_time()
        shown, reserved = await available(api), await reserve(api, 100, "k")

        assert (shown, reserved.status_code) == (100, 201)
        assert (await end(api, reserved, "release")).status_code == 200
        rewards.clock.set(datetime(2027, 1, 11, 5, tzinfo=UTC))
        assert (await available(api), (await reserve(api, 100, "l")).status_code) == (0, 409)


class TestWhy:
    """open-loyalty#79: the list of transfers says "adding, 1000" and nobody, not even the admin, learns why."""

    async def test_every_line_of_the_ledger_says_why(self, rewards: Rewards, api: httpx.AsyncClient) -> None:
        """Given points for following the fan page; when the list is read; then rule and cause are in it, and the why
        names the event, the program's version and the rule's words."""
        await rewards.happen(activity("social.followed", "follow-fan-page", network="facebook"))
        (line,) = (await get(api, "ledger"))["items"]
        why = await get(api, "explain", ledger_entry=line["id"])

        assert (line["rule"], line["program_version"], line["points"]) == ("follow", 1, 20)
        assert (why["event"]["type"], why["event"]["id"]) == ("social.followed", "follow-fan-page")
        assert why["rule_description"] == "20 points, on social.followed, at most once per network"
        assert why["sentence"].startswith("20 points earned by rule follow of program version 1, because of")


class TestOpeningBalances:
    """erpnext#40732: points of an old system come in only by invoices that nobody wrote."""

    async def test_a_balance_of_before_is_there_spends_and_says_why(
        self,
        rewards: Rewards,
        api: httpx.AsyncClient,
        regulars: Callable[..., Awaitable[Result]],  # noqa: F811
        tmp_path: Path,
    ) -> None:
        """Given a customer of an old system with 5,200 points; when the file is imported, twice; then they are there,
        once, without an order and without a tier for it, are spent as any, and say where they came from."""
        await rewards.happen(activity("login.recorded", "l"))
        file = tmp_path / "balances.csv"
        file.write_text(f"customer,points\n{CUSTOMER},5200\n")
        for _ in range(2):
            assert (await regulars("ledger", "import", str(file))).exit_code == 0

        assert await available(api) == 5200
        assert (await get(api, "tier"))["tier"] == "member"
        (line,) = (await get(api, "ledger"))["items"]
        why = await get(api, "explain", ledger_entry=line["id"])
        assert why["sentence"] == "5200 points given by hand by import: Opening balance."
        spent = await end(api, await reserve(api, 5200, "k"), "confirm")
        assert spent.status_code == 200, spent.text
        assert await available(api) == 0
        await rewards.check()


class TestParallelRequests:
    """Other APIs answer "avoid parallel requests" with 409 when one customer's requests come at once."""

    async def test_one_customer_s_parallel_requests_all_work(
        self, rewards: Rewards, api: httpx.AsyncClient, second_api: httpx.AsyncClient
    ) -> None:
        """Given 1000 points; when two processes get 30 different requests for them at once, orders coming in meanwhile;
        then what there are points for is reserved, and the only refusal is for want of points."""
        await rewards.happen(order("1", "1000"))
        reserving = [reserve((api, second_api)[n % 2], 100, f"k{n}", order_id=str(n)) for n in range(15)]
        adjusting = [
            (api, second_api)[n % 2].post(
                "/v1/adjustments",
                json={"customer": CUSTOMER, "points": 1, "reason": "a point"},
                headers={"Idempotency-Key": f"a{n}"},
            )
            for n in range(15)
        ]
        earning = rewards.happen(*(order(f"p{n}", "1", at=NOW) for n in range(5)))

        answers, others, _ = await asyncio.gather(
            asyncio.gather(*reserving), asyncio.gather(*adjusting), earning
        )

        assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 5
        refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
        assert refused == {"insufficient_points"}
        assert {answer.status_code for answer in others} == {201}
        assert await available(api) == 1000 + 15 + 5 - 1000
        await rewards.check()
