"""What rewards knows of a customer, for who previews what would be written to them."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import structs

from services.rewards.adapters import explaining
from services.rewards.adapters.history import activities
from services.rewards.domain.tiering.tiers import current_level
from services.rewards.entrypoints.service import Service, as_problem
from shared.contracts.facts import Facts


def knowledge(service: Service) -> Callable[[str], Awaitable[dict[str, Any] | None]]:
    """Asks for a customer by name: their id, and facts, points and tier as campaigns hand them to messages."""

    async def known(name: str) -> dict[str, Any] | None:
        async with service.reading.connect() as connection:
            customer_id = await service.reader.customer(connection, name)
            if customer_id is None:
                return None
            try:
                program = (await service.programs.current(connection, service.clock())).program
            except Exception as error:
                raise as_problem(error) from error
            member = await service.reader.member(connection, customer_id, None)
            now = service.clock()
            balances = await service.reader.balances(connection, customer_id, now, now)
            last = await activities.of_customers(
                connection, await explaining.family(connection, customer_id), 1
            )
        facts = last[0][1].facts if last else Facts(currency=program.currency)
        tiers = program.tiers
        return {
            "customer_id": customer_id,
            "customer": structs.asdict(facts),
            "points": balances.available,
            "tier": tiers.levels[current_level(tiers, member)].name if tiers is not None else None,
        }

    return known
