"""The use case of codes at the checkout: is this one good, use it, give its use back.

Whoever uses a code holds the customer's row first, then the code's, then its stock's: no race uses it too often, and no
two wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.ports import Members, Programs
from services.rewards.domain import refusals
from services.rewards.domain.changes import Changes
from services.rewards.domain.earning.undoing import undo_use
from services.rewards.domain.spending import terms
from services.rewards.domain.spending.carts import Cart
from services.rewards.domain.spending.checkout import tier_of
from services.rewards.domain.spending.offers import DETAILS, Code, Offer, normal_code, shared_codes
from services.rewards.domain.spending.terms import Claimant, Reason, Unmet
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import CodeUse, stock_of
from shared.program.model.offers import code_letters
from shared.program.model.program import Program

CODE_LETTERS_MAX = 64
"""What is longer is no code, and is not looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRequest:
    """Who wants to use which code, on what. `beside` are the other codes that the checkout knows to be on the order."""

    customer: str
    code: str
    cart: Cart
    beside: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The code as it is written."""
        return normal_code(self.code)[:CODE_LETTERS_MAX]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is said of a code: what it is (None: unknown to this customer), why it cannot be used, what it takes off,
    and how often this customer may use it after this time (None: without end). `again`: it is used for this order."""

    code: Code | None
    unmet: Unmet | None
    discount: Decimal | None = None
    uses_left: int | None = None
    again: bool = False


class CodeStore(Protocol):
    """What codes read and write besides members. Every method works in the caller's transaction."""

    async def customers(self, connection: AsyncConnection, names: set[str]) -> dict[str, str]:
        """Customer ids by any id that a shop or we use for them; unknown ones are missing."""

    async def welcome(self, connection: AsyncConnection, name: str) -> str | None:
        """The id that a customer of whom nothing has been heard will have, and has from now on; None for a name that
        only we give."""

    async def look(self, connection: AsyncConnection, customer_id: str) -> Member | None:
        """The customer as they are, only to look at."""

    async def issued(self, connection: AsyncConnection, code: str, *, lock: bool) -> Offer | None:
        """The customer's own code that is written so."""

    async def uses(
        self, connection: AsyncConnection, customer_id: str, offer: str, order_id: str | None
    ) -> list[CodeUse]:
        """The customer's uses of this offer, and of any for this order; also those that were undone."""

    async def taken(self, connection: AsyncConnection, item: str, *, lock: bool) -> int:
        """How much is taken of a stock."""

    async def undone_orders(
        self, connection: AsyncConnection, orders: set[tuple[str, str]]
    ) -> set[tuple[str, str]]:
        """Which of these (customer, order id) were cancelled or refunded in full."""

    async def add_use(self, connection: AsyncConnection, use: CodeUse, actor: str) -> None:
        """Write a new use."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Checks codes, uses them, and gives uses back."""

    members: Members
    store: CodeStore
    programs: Programs

    async def validate(self, connection: AsyncConnection, request: CodeRequest, now: datetime) -> Judged:
        """Whether the code may be used now. Changes nothing."""
        program = (await self.programs.current(connection, now)).program
        customer_id = (await self.store.customers(connection, {request.customer})).get(request.customer)
        member = await self.store.look(connection, customer_id) if customer_id is not None else None
        code = await self._find(connection, request, program, lock=False)
        return await self._judge(connection, code, member, request, program, now, lock=False)

    async def redeem(
        self, connection: AsyncConnection, request: CodeRequest, now: datetime, id_: str, actor: str
    ) -> Judged:
        """Use the code, once for an order; `id_` is the id of the use. Raises `RefusedError`."""
        program = (await self.programs.current(connection, now)).program
        everybody = code_letters(request.code) in shared_codes(program)
        member = await self._lock(connection, request.customer, everybody=everybody)
        code = await self._find(connection, request, program, lock=True)
        judged = await self._judge(connection, code, member, request, program, now, lock=True)
        if judged.unmet is not None:
            raise judged.unmet.refusal("offer")
        assert judged.code is not None
        assert member is not None
        if not judged.again:
            await self._use(connection, judged, member, request.cart.order_id, now, id_, actor)
        return judged

    async def release(self, connection: AsyncConnection, request: CodeRequest, now: datetime) -> CodeUse:
        """Give the use for an order back: its payment failed. Again: changes nothing. Raises `RefusedError`."""
        program = (await self.programs.current(connection, now)).program
        member = await self._lock(connection, request.customer, everybody=False)
        code = await self._find(connection, request, program, lock=True)
        unknown = Unmet(Reason.UNKNOWN, DETAILS[Reason.UNKNOWN]).refusal("offer")
        if member is None or code is None:
            raise unknown
        uses = await self.store.uses(connection, member.customer_id, code.offer.id, request.cart.order_id)
        mine = [use for use in uses if _is_for(use, code, request.cart.order_id)]
        if not mine and not code.may_be_tried_by(member.customer_id):
            raise unknown
        if not mine:
            raise refusals.code_not_used(str(request.cart.order_id))
        use = mine[-1]
        if use.undone_at is None:
            changes = Changes(now, program.version)
            undo_use(member, use, changes, cause=use.id)
            await self.members.save(connection, changes)
        return use

    async def _lock(self, connection: AsyncConnection, name: str, *, everybody: bool) -> Member | None:
        """The customer, locked. A code for everybody is for those too who are not known yet."""
        found = (await self.store.customers(connection, {name})).get(name)
        if found is None and everybody:
            found = await self.store.welcome(connection, name)
        if found is None:
            return None
        return (await self.members.lock(connection, [found], create=everybody)).get(found)

    async def _find(
        self, connection: AsyncConnection, request: CodeRequest, program: Program, *, lock: bool
    ) -> Code | None:
        """The code, whosever it is; a customer's own with its terms as they were when it was issued."""
        shared = shared_codes(program).get(code_letters(request.code))
        if shared is not None:
            assert shared.code is not None
            return Code(code=shared.code, offer=shared)
        issued = await self.store.issued(connection, request.shown, lock=lock)
        if issued is None:
            return None
        then = (await self.programs.version(connection, issued.program_version)).program
        return Code(code=issued.code, offer=issued.template(then), issued=issued)

    async def _judge(  # noqa: PLR0917
        self,
        connection: AsyncConnection,
        code: Code | None,
        member: Member | None,
        request: CodeRequest,
        program: Program,
        now: datetime,
        *,
        lock: bool,
    ) -> Judged:
        unknown = Judged(code=None, unmet=Unmet(Reason.UNKNOWN, DETAILS[Reason.UNKNOWN]))
        if code is None or not code.may_be_tried_by(member.customer_id if member is not None else None):
            return unknown
        uses: Sequence[CodeUse] = ()
        order_id = request.cart.order_id
        if member is not None:
            if order_id is not None and await self.store.undone_orders(
                connection, {(member.customer_id, order_id)}
            ):
                detail = DETAILS[Reason.ORDER_CANCELLED]
                return Judged(code=code, unmet=Unmet(Reason.ORDER_CANCELLED, detail))
            found = await self.store.uses(connection, member.customer_id, code.offer.id, order_id)
            uses = [use for use in found if use.undone_at is None]
        off = terms.discount(code.offer, request.cart, program)
        of_offer = [use.at for use in uses if use.offer == code.offer.id]
        if any(_is_for(use, code, order_id) for use in uses):
            left = code.uses_left(len(of_offer), 0)
            return Judged(code=code, unmet=None, discount=off, uses_left=left, again=True)
        claimant = Claimant(
            tier=tier_of(member, program) if member is not None else None,
            uses=of_offer,
            taken=await self._taken(connection, code, lock=lock),
        )
        beside = [
            self._combinable(other.offer, program)
            for other in uses
            if other.order_id is not None and other.order_id == order_id
        ]
        beside += await self._others(connection, code, member, request, program)
        unmet = code.refusal(request.cart, claimant, beside, program, now)
        left = code.uses_left(len(of_offer), 1)
        return Judged(code=code, unmet=unmet, discount=off, uses_left=left)

    async def _taken(self, connection: AsyncConnection, code: Code, *, lock: bool) -> int:
        if code.offer.terms.stock is None:
            return 0
        return await self.store.taken(connection, stock_of("offer", code.offer.id), lock=lock)

    async def _others(
        self,
        connection: AsyncConnection,
        code: Code,
        member: Member | None,
        request: CodeRequest,
        program: Program,
    ) -> list[bool]:
        """Whether the other codes that the checkout names are combinable. Those that nobody knows do not matter, and
        another customer's as little: who names it may not learn that there is such a code."""
        customer_id, found = member.customer_id if member is not None else None, []
        for text in request.beside:
            other = CodeRequest(customer=request.customer, code=text, cart=request.cart)
            known = await self._find(connection, other, program, lock=False)
            if known is not None and known.code != code.code and known.may_be_tried_by(customer_id):
                found.append(known.offer.combinable)
        return found

    @staticmethod
    def _combinable(offer: str, program: Program) -> bool:
        return offer in program.offers and program.offers[offer].combinable

    async def _use(  # noqa: PLR0917
        self,
        connection: AsyncConnection,
        judged: Judged,
        member: Member,
        order_id: str | None,
        now: datetime,
        id_: str,
        actor: str,
    ) -> None:
        code = judged.code
        assert code is not None
        use = CodeUse(
            id=id_,
            customer_id=member.customer_id,
            code=code.code,
            offer=code.offer.id,
            order_id=order_id,
            at=now,
            personal=code.issued is not None,
            discount=judged.discount,
        )
        await self.store.add_use(connection, use, actor)
        version = code.issued.program_version if code.issued is not None else None
        changes = Changes(now, version or (await self.programs.current(connection, now)).program.version)
        changes.stock[stock_of("offer", use.offer)] = 1
        changes.tell(
            member,
            "offer.redeemed",
            id_=f"{use.id}/redeemed",
            cause=use.id,
            data={
                "code": use.code,
                "offer": use.offer,
                "order_id": order_id,
                "discount": use.discount,
            },
        )
        await self.members.save(connection, changes)


def _is_for(use: CodeUse, code: Code, order_id: str | None) -> bool:
    return order_id is not None and use.order_id == order_id and use.code == code.code
