"""What a link in a message withdraws means the same to deliveries, at once, and to scoring, once its event comes by."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.own_events import record_of
from services.deliveries.application.ports import OwnEvent
from services.deliveries.application.recipients.responding import Addressee, Responding, Withdrawal
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.recipients.choices import Consents
from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.state import State
from tests.support.life import SETTINGS, event, moment

NAMES = st.sampled_from(
    [
        "email",
        "sms",
        "marketing",
        "email_marketing",
        "marketing.sms",
        "news.marketing.email",
        "terms",
        "tracking",
    ]
)
CELLS = st.sampled_from([(channel, purpose) for channel in Channel for purpose in Purpose])
NO_DATABASE = cast("AsyncConnection", None)


class Memory:
    """Implements `ResponseStore` and `OwnEvents`."""

    def __init__(self, consents: Consents, channel: Channel) -> None:
        self.now = consents
        self.told: list[OwnEvent] = []
        self._to = Addressee("m-1", "c", channel, "cus", "part", "p-ana", {"id": "p-ana"})

    def key(self, id: str) -> str:  # noqa: A002
        return id

    async def append(self, _: AsyncConnection, events: Sequence[OwnEvent], now: datetime) -> None:
        self.told.extend(events)

    async def tell(self, *_: Any) -> None: ...

    async def addressee(self, _: AsyncConnection, message: str) -> Addressee:
        return self._to

    async def note(self, *_: Any) -> bool:
        return True

    async def consents(self, _: AsyncConnection, customer_id: str) -> Consents:
        return self.now

    look = consents

    async def decide(
        self,
        _: AsyncConnection,
        customer: str,
        consents: Consents,
        withdrawal: Withdrawal,
        given: tuple[str, ...],
    ) -> None:
        self.now = consents


def known_to_scoring(state: State) -> Consents:
    return Consents(
        frozenset(name for name, given in state.consent.items() if given),
        frozenset(name for name, given in state.consent.items() if not given),
    )


@given(
    st.dictionaries(NAMES, st.booleans()),
    st.sampled_from(list(Channel)),
    st.lists(st.none() | st.tuples(st.dictionaries(CELLS, st.booleans()), st.booleans()), max_size=4),
)
@settings(max_examples=150)
async def test_deliveries_and_scoring_agree(
    told: dict[str, bool], channel: Channel, steps: list[tuple[dict[Any, bool], bool] | None]
) -> None:
    """Given any consents, and a customer who unsubscribes and chooses, in any order and however often; then scoring,
    from the events alone, knows the same consents as deliveries does."""
    life: list[Event] = [event("consent.changed", moment(), {"customer": {"consent": told}})] if told else []
    memory = Memory(known_to_scoring(fold(life, SETTINGS).state), channel)
    responding = Responding(memory, memory, memory)
    for step, wish in enumerate(steps, 1):
        now = moment(step)
        if wish is None:
            await responding.unsubscribe(NO_DATABASE, "m-1", now)
        else:
            to, (wanted, tracking) = await memory.addressee(NO_DATABASE, "m-1"), wish
            await responding.choose(NO_DATABASE, to, wanted, tracking=tracking, rule="required", now=now)
    records = [record_of(one, one.time + timedelta(seconds=1)) for one in memory.told]
    assert len({one.id for one in records}) == len(records)
    folded = fold([*life, *(Event.of(one) for one in records)], SETTINGS)
    assert known_to_scoring(folded.state) == memory.now
