"""The use case of the checkout: reserve, confirm and release, many requests in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.ports import Members, Programs
from services.rewards.domain import refusals
from services.rewards.domain.changes import Answer, Changes
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.spending import checkout
from services.rewards.domain.spending.carts import Cart
from services.rewards.domain.spending.terms import Claimant
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import Redemption, stock_of
from shared.program.model.program import Program


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve `points` of `customer` (any of its ids) under the new id `id`, or those that the `reward` costs, for the
    order in `cart`. (`scope`, `key`) is the caller's idempotency key, `body_hash` what tells another request under the
    same key."""

    id: str
    customer: str
    points: int | None
    cart: Cart
    scope: str
    key: str
    body_hash: bytes
    reward: str | None = None


@dataclass(frozen=True, slots=True)
class Confirm:
    """Spend a redemption's points for good."""

    id: str


@dataclass(frozen=True, slots=True)
class Release:
    """Give a redemption's points back."""

    id: str


Request = Reserve | Confirm | Release


def about(request: Request) -> str:
    """What a request is about as far as it says so itself: two of one customer wait for each other."""
    return request.customer if isinstance(request, Reserve) else request.id


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered under an idempotency key."""

    body_hash: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch sees under its members' locks: answers by (scope, key), and (customer, order id) that were cancelled
    or refunded in full."""

    answers: dict[tuple[str, str], Answered]
    undone: set[tuple[str, str]]


class CheckoutStore(Protocol):
    """What the checkout reads and writes besides members. Every method works in the caller's transaction."""

    async def customers(self, connection: AsyncConnection, names: set[str]) -> dict[str, str]:
        """Customer ids by any id that a shop or we use for them; unknown ones are missing."""

    async def owners(self, connection: AsyncConnection, ids: set[str]) -> dict[str, str]:
        """The customers whose redemptions these are; unknown ones are missing."""

    async def redemptions(self, connection: AsyncConnection, ids: set[str]) -> dict[str, Redemption]:
        """The redemptions, as they stand under their members' locks."""

    async def lock(
        self, connection: AsyncConnection, names: set[str], redemptions: set[str]
    ) -> tuple[dict[str, Member], dict[str, Member]]:
        """The members by the names that lead to them, and by their ids also those whose redemptions these are; locked
        in id order, unknown ones are missing. One that was merged into another gives that one."""

    async def see(  # noqa: PLR0917
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        draws: Mapping[str, int],
        orders: set[tuple[str, str]],
        keys: set[tuple[str, str]],
        now: datetime,
    ) -> Seen:
        """The lots of `load_lots`, into the members; what is known of (customer, order id) and of the (scope, key) of
        idempotency keys. After the members' locks, so that what was just committed is seen."""

    async def load_lots(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        draws: Mapping[str, int],
        due_by: datetime,
    ) -> None:
        """By customer, of the lots that hold points: all that are due by then, and those that are spent first, up to as
        many points as may be drawn."""

    async def load_taken(
        self, connection: AsyncConnection, members: dict[str, Member], redemptions: Sequence[Redemption]
    ) -> None:
        """The lots that the redemptions took from, unless they are loaded."""

    async def reward_uses(
        self, connection: AsyncConnection, wanted: set[tuple[str, str]]
    ) -> dict[tuple[str, str], list[datetime]]:
        """When these (customer, reward) were redeemed, as far as that stands."""

    async def lock_stock(
        self, connection: AsyncConnection, limited: set[str], others: set[str]
    ) -> dict[str, int]:
        """How much is taken of each stock, locked: of those that are `limited`, and of `others` that will change if
        they are counted. After the members' locks."""


class LookAgainError(Exception):
    """Another transaction has changed since we looked what the requests are about: look again."""


class AnsweredMeanwhileError(LookAgainError):
    """The same key was answered by another transaction."""


class MovedMeanwhileError(LookAgainError):
    """A redemption became another customer's."""


class Render(Protocol):
    """Makes the body of an answer."""

    def __call__(self, redemption: Redemption) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Checkout:
    """Handles batches of checkout requests."""

    members: Members
    store: CheckoutStore
    programs: Programs
    render: Render

    async def __call__(
        self, connection: AsyncConnection, requests: Sequence[Request], now: datetime
    ) -> list[bytes | Exception]:
        """One answer per request, in order: a body, or a `RefusedError`. A refused request changes nothing.

        Raises `LookAgainError`.
        """
        rulebook = await self.programs.current(connection, now)
        batch = await self._load(connection, requests, rulebook.program, now)
        changes = Changes(now, rulebook.program.version)
        results: list[bytes | Exception] = []
        for request in requests:
            try:
                results.append(self._decide(request, batch, rulebook, changes))
            except RefusedError as refusal:
                results.append(refusal)
        if changes.entries:
            await self.members.save(connection, changes)
        return results

    async def _load(
        self, connection: AsyncConnection, requests: Sequence[Request], program: Program, now: datetime
    ) -> "_Batch":
        reserves = [request for request in requests if isinstance(request, Reserve)]
        ids = {request.id for request in requests if not isinstance(request, Reserve)}
        customers, members = await self.store.lock(connection, {one.customer for one in reserves}, ids)
        orders = {
            (customers[request.customer].customer_id, request.cart.order_id)
            for request in reserves
            if request.customer in customers and request.cart.order_id is not None
        }
        redemptions = await self.store.redemptions(connection, ids) if ids else {}
        if any(redemption.customer_id not in members for redemption in redemptions.values()):
            raise MovedMeanwhileError
        released = [
            redemptions[one.id] for one in requests if isinstance(one, Release) and one.id in redemptions
        ]
        draws = dict.fromkeys((redemption.customer_id for redemption in released), 0)
        for request in reserves:
            if request.customer in customers:
                id_ = customers[request.customer].customer_id
                draws[id_] = draws.get(id_, 0) + _price(request, program)
        keys = {(request.scope, request.key) for request in reserves}
        seen = await self.store.see(connection, members, draws, orders, keys, now)
        if released:
            await self.store.load_taken(connection, members, released)
        batch = _Batch(customers, members, redemptions, seen, {})
        await self._load_terms(connection, reserves, program, batch)
        return batch

    async def _load_terms(
        self, connection: AsyncConnection, reserves: Sequence[Reserve], program: Program, batch: "_Batch"
    ) -> None:
        """What reserving asks of besides points: limits and stocks of rewards."""
        limited: set[tuple[str, str]] = set()
        stocked: set[str] = set()
        items = {
            stock_of("reward", one.reward) for one in batch.redemptions.values() if one.reward is not None
        }
        for request in reserves:
            member, reward = batch.customers.get(request.customer), program.rewards.get(request.reward or "")
            if member is None or reward is None:
                continue
            items.add(stock_of("reward", reward.id))
            if reward.terms.limit is not None:
                limited.add((member.customer_id, reward.id))
            if reward.terms.stock is not None:
                stocked.add(stock_of("reward", reward.id))
        if limited:
            batch.uses.update(await self.store.reward_uses(connection, limited))
        if items:
            batch.taken.update(await self.store.lock_stock(connection, stocked, items))

    def _decide(self, request: Request, batch: "_Batch", rulebook: Rulebook, changes: Changes) -> bytes:
        if isinstance(request, Reserve):
            return self._reserve(request, batch, rulebook, changes)
        redemption = batch.redemptions.get(request.id)
        if redemption is None:
            raise refusals.unknown_redemption()
        member = batch.members[redemption.customer_id]
        if isinstance(request, Confirm):
            checkout.confirm(member, redemption, changes)
        else:
            checkout.release(member, redemption, changes)
        return self.render(redemption)

    def _reserve(self, request: Reserve, batch: "_Batch", rulebook: Rulebook, changes: Changes) -> bytes:
        key = (request.scope, request.key)
        before = batch.seen.answers.get(key) or batch.new_answers.get(key)
        if before is not None:
            if before.body_hash != request.body_hash:
                raise refusals.key_reused()
            return before.body
        member = batch.customers.get(request.customer)
        if member is None:
            raise refusals.unknown_customer()
        redemption = self._put_aside(request, member, batch, rulebook.program, changes)
        body = self.render(redemption)
        batch.new_answers[key] = Answered(request.body_hash, body)
        changes.answers.append(Answer(*key, request.body_hash, body, changes.now))
        return body

    def _put_aside(
        self, request: Reserve, member: Member, batch: "_Batch", program: Program, changes: Changes
    ) -> Redemption:
        order_id = request.cart.order_id
        if order_id is not None and (member.customer_id, order_id) in batch.seen.undone:
            raise refusals.order_cancelled(order_id)
        if request.reward is None:
            assert request.points is not None
            return checkout.reserve(
                member, program, changes, id_=request.id, points=request.points, order_id=order_id
            )
        reward = program.rewards.get(request.reward)
        if reward is None:
            raise refusals.unknown_reward(request.reward)
        uses = batch.uses.setdefault((member.customer_id, reward.id), [])
        item = stock_of("reward", reward.id)
        claimant = Claimant(
            tier=checkout.tier_of(member, program),
            uses=uses,
            taken=batch.taken.get(item, 0) + changes.stock.get(item, 0),
        )
        redemption = checkout.reserve_reward(
            member, program, changes, reward, request.cart, claimant, id_=request.id
        )
        uses.append(changes.now)
        return redemption


def _price(request: Reserve, program: Program) -> int:
    """The points that the request asks for; none for a reward that there is not."""
    if request.points is not None:
        return request.points
    reward = program.rewards.get(request.reward or "")
    return reward.points if reward is not None else 0


@dataclass(frozen=True, slots=True)
class _Batch:
    customers: dict[str, Member]
    members: dict[str, Member]
    redemptions: dict[str, Redemption]
    seen: Seen
    new_answers: dict[tuple[str, str], Answered]
    uses: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
