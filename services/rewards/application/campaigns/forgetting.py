"""The use case of forgetting runs of campaigns, once nothing needs them any more."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.ports import Programs
from shared.program.model.campaigns import Campaign
from shared.program.model.program import Program
from shared.program.values.period import Period


class Place(NamedTuple):
    """Among a campaign's runs, by when they began."""

    at: datetime
    run: str


FIRST: Final = Place(datetime(1, 1, 1, tzinfo=UTC), "")


class Forget(Protocol):
    """Looks at a batch of a campaign's runs after a place that began before a moment, and deletes those that have acted
    and whose goal's time is over, with the messages that they asked for; of an experiment never a customer's first.
    Answers how many went, and the last one that was looked at; None when there was none."""

    async def __call__(
        self,
        connection: AsyncConnection,
        campaign: str,
        after: Place,
        before: datetime,
        *,
        experiment: bool = False,
    ) -> tuple[int, Place | None]: ...


@dataclass
class ForgetRuns:
    """Forgets runs of the campaigns in force. What it has looked at, it does not look at again until the process is
    started anew: most of what stays, stays for good."""

    forget: Forget
    programs: Programs
    _places: dict[str, Place] = field(default_factory=dict)

    async def __call__(self, connection: AsyncConnection, kept_since: datetime, now: datetime) -> int | None:
        """Forget one batch of what began before `kept_since`; how many went, None when there is nothing more to look
        at. Raises `NoProgramError`, and `ProgramError` where it cannot be read what campaigns count."""
        program = (await self.programs.current(connection, now)).program
        for campaign in program.campaigns:
            before = _counted_since(campaign, program, now)
            if before is None:
                continue
            gone, last = await self.forget(
                connection,
                campaign.id,
                self._places.get(campaign.id, FIRST),
                min(before, kept_since),
                experiment=campaign.experiment,
            )
            if last is not None:
                self._places[campaign.id] = last
                return gone
        return None

    def look_again(self) -> None:
        """Look at all anew: what was looked at last may not have been written."""
        self._places.clear()


def _counted_since(campaign: Campaign, program: Program, now: datetime) -> datetime | None:
    """From when on its runs count towards its limit; None: for ever, but then there are few of them."""
    if campaign.limit is None:
        return now
    per = campaign.limit.per
    return per.before(now, program.time_zone) if isinstance(per, Period) else None
