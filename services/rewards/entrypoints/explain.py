"""`GET /v1/customers/{customer}/explain`: why did I get this?"""

from datetime import datetime
from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter, Query
from msgspec import to_builtins
from pydantic import BaseModel
from ruamel.yaml import YAML
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters import activities, explaining
from services.rewards.adapters.programs import NoProgramError
from services.rewards.domain.accounts import Kind
from services.rewards.domain.explain import Story, entry_sentence, find_rule, tier_sentence
from services.rewards.domain.offers import normal_code
from services.rewards.domain.tiers import current_level
from services.rewards.entrypoints.customers import EntryView, OfferView, entry_view, offer_view
from services.rewards.entrypoints.service import MayRead, Service
from shared.contracts.activity import Facts
from shared.http.openapi import problem_responses
from shared.http.problems import ProblemError, invalid_request, not_found
from shared.http.types import CustomerRef
from shared.program.describe import describe_rule
from shared.program.tiering import TierLevel

Wanted = Annotated[str | None, Query(min_length=1, max_length=300)]
CHECKOUT = frozenset({Kind.RESERVE, Kind.CONFIRM, Kind.RELEASE})


class Event(BaseModel):
    """The event behind it, as its sender named it."""

    source: str
    id: str
    type: str
    time: datetime


class LotView(BaseModel):
    """A lot that the cause touched, as it is now."""

    lot: str
    points: int
    remaining: int
    expired: int
    expires_at: datetime | None


class Explanation(BaseModel):
    """Why: a sentence, the rule as its program version has it, the event, the facts at that moment.

    `rule_description` says the rule in plain words; `rule_text` is what the program's file states.
    """

    sentence: str
    rule: str | None = None
    rule_description: str | None = None
    rule_text: str | None = None
    program_version: int | None = None
    event: Event | None = None
    facts: dict[str, Any] | None = None
    cause: str | None = None
    ledger_entry: EntryView | None = None
    offer: OfferView | None = None
    tier: dict[str, Any] | None = None
    lots: list[LotView] = []


def explain_routes(service: Service) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["customers"])

    @router.get("/v1/customers/{customer}/explain", responses=problem_responses(404, 422))
    async def explain(
        customer: CustomerRef,
        _: MayRead,
        ledger_entry: Wanted = None,
        offer: Wanted = None,
        tier: Wanted = None,
    ) -> Explanation:
        """Why the customer has these points, this offer, or this tier (`tier=current`, or a tier's id)."""
        if sum(wanted is not None for wanted in (ledger_entry, offer, tier)) != 1:
            error = ProblemError(
                "", "one_of", "give exactly one of ledger_entry, offer, tier", "ledger_entry"
            )
            raise invalid_request(error)
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            teller = _Teller(service, connection, customer_id)
            if ledger_entry is not None:
                return await teller.entry(ledger_entry)
            if offer is not None:
                return await teller.offer(normal_code(offer)[:64])
            return await teller.tier(tier or "current")

    return router


class _Teller:
    def __init__(self, service: Service, connection: AsyncConnection, customer_id: str) -> None:
        self._service = service
        self._connection = connection
        self._customer = customer_id

    async def entry(self, id_: str) -> Explanation:
        owner, _, number = id_.rpartition("-")
        customers = await explaining.family(self._connection, self._customer)
        if owner not in customers or not number.isascii() or not number.isdigit() or len(number) > 18:
            raise not_found("This customer has no such ledger entry.")
        row = await explaining.entry(self._connection, owner, int(number))
        if row is None:
            raise not_found("This customer has no such ledger entry.")
        lots = await explaining.lots(self._connection, customers, owner, row.cause)
        answer = await self._base(row.rule, row.program_version, row.cause)
        story = await self._story(row, customers, answer.event)
        return answer.model_copy(
            update={
                "sentence": entry_sentence(story),
                "ledger_entry": entry_view(row),
                "lots": [
                    LotView(
                        lot=f"{lot.lot:016x}",
                        points=lot.points,
                        remaining=lot.remaining,
                        expired=lot.expired,
                        expires_at=lot.expires_at,
                    )
                    for lot in lots
                ],
            }
        )

    async def _story(self, row: Any, customers: list[str], event: Event | None) -> Story:
        connection = self._connection
        facts: dict[str, Any] = {}
        if row.kind in CHECKOUT:
            redemption = await explaining.redemption(connection, row.cause)
            facts = {"redemption": row.cause, "order_id": redemption.order_id if redemption else None}
        elif row.kind == Kind.ADJUST:
            adjustment = await explaining.adjustment(connection, row.cause)
            facts = {"reason": adjustment.reason if adjustment else "no reason is known"}
        elif row.kind in {Kind.EARN, Kind.REVERSE}:
            purchase = await explaining.purchase(connection, customers, row.lot)
            if purchase is not None:
                facts = {
                    "order_id": purchase.order_id,
                    "order_total": purchase.total,
                    "currency": purchase.currency,
                }
        return Story(
            kind=row.kind,
            debit=row.debit,
            points=row.points,
            rule=row.rule,
            version=row.program_version,
            event=f"{event.type} {event.id} from {event.source}" if event is not None else None,
            event_at=event.time if event is not None else None,
            **facts,
        )

    async def offer(self, code: str) -> Explanation:
        offer = await self._service.reader.offer(self._connection, code)
        if offer is None or offer.customer_id != self._customer:
            raise not_found("This customer has no such offer.")
        answer = await self._base(offer.rule, offer.program_version, offer.cause)
        because = f", because of {answer.event.type} {answer.event.id}" if answer.event else ""
        sentence = f"Offer {offer.offer} was given for reaching {offer.rule}{because}."
        shown = offer_view(offer, self._service.clock())
        return answer.model_copy(update={"sentence": sentence, "offer": shown})

    async def tier(self, tier: str) -> Explanation:
        row = await explaining.tier_change(self._connection, self._customer, tier)
        if row is None:
            return await self._first_tier(tier)
        answer = await self._base(row.new, row.program_version, row.cause)
        program = (await self._service.programs.version(self._connection, row.program_version)).program
        level = find_rule(program, row.new)
        at = level.at if isinstance(level, TierLevel) else None
        sentence = tier_sentence(row.new, row.reason, row.spend, program.currency, at)
        details = {
            "tier": row.new,
            "before": row.old,
            "at": row.at,
            "until": row.until,
            "reason": row.reason,
            "spend": str(row.spend),
        }
        return answer.model_copy(update={"sentence": sentence, "tier": details})

    async def _first_tier(self, tier: str) -> Explanation:
        """The tier that everybody starts with has no change behind it."""
        program = (await self._service.programs.current(self._connection, self._service.clock())).program
        member = await self._service.reader.member(self._connection, self._customer, None)
        if program.tiers is None:
            raise not_found("The program has no tiers.")
        level = program.tiers.levels[current_level(program.tiers, member)]
        if tier not in {"current", level.id}:
            raise not_found("The customer has not had this tier.")
        answer = await self._base(level.id, program.version, None)
        return answer.model_copy(
            update={"sentence": f"Tier {level.id} is where everybody starts.", "tier": {"tier": level.id}}
        )

    async def _base(self, rule: str | None, version: int, cause_id: str | None) -> Explanation:
        cause = await activities.find(self._connection, cause_id) if cause_id is not None else None
        event = None
        if cause is not None:
            event = Event(source=cause.source, id=cause.event_id, type=cause.type, time=cause.time)
        description, stated = await self._rule(rule, version)
        return Explanation(
            sentence="",
            rule=rule,
            rule_description=description,
            rule_text=stated,
            program_version=version,
            event=event,
            facts=_shown(cause.facts) if cause is not None else None,
            cause=cause_id,
        )

    async def _rule(self, rule: str | None, version: int) -> tuple[str | None, str | None]:
        """The rule in plain words, and as the file states it."""
        if rule is None:
            return None, None
        programs = self._service.programs
        try:
            program = (await programs.version(self._connection, version)).program
            source = await programs.source(self._connection, version)
        except NoProgramError:
            return None, None
        return describe_rule(program, rule), rule_text(source, rule)


def _shown(facts: Facts) -> dict[str, Any]:
    """All facts, money as decimal strings."""
    shown: dict[str, Any] = to_builtins({name: getattr(facts, name) for name in Facts.__struct_fields__})
    return shown


def rule_text(source: str, rule: str) -> str | None:
    """The rule of that id as the program's file states it, on one line."""
    program = YAML(typ="safe", pure=True).load(source)
    points, tiers = program.get("points") or {}, program.get("tiers") or {}
    stated = [
        *(points.get("earn") or []),
        *(program.get("milestones") or []),
        *(tiers.get("levels") or []),
    ]
    found = next((item for item in stated if item.get("id") == rule), None)
    if found is None:
        return None
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = True
    writer.width = 10_000
    text = StringIO()
    writer.dump(dict(found), text)
    return text.getvalue().strip()
