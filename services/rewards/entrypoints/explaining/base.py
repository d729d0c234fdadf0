"""What every explanation begins with: the rule as its version has it, the event behind it, the facts of then."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.history import activities
from services.rewards.adapters.programs import NoProgramError
from services.rewards.entrypoints.explaining.schemas import Explanation, event_view, plain
from services.rewards.entrypoints.service import Service
from shared.contracts.activity import Activity, Facts
from shared.program.describing.describe import describe_rule
from shared.program.describing.stated import rule_text
from shared.program.versions.reading import UnreadableProgramError


@dataclass(frozen=True, slots=True)
class Teller:
    """Explains to one request about the customer `customer`."""

    service: Service
    connection: AsyncConnection
    customer: str

    async def base(
        self, rule: str | None, version: int, cause: str | None, activity: Activity | None = None
    ) -> Explanation:
        """An explanation without its sentence. `activity` is the cause, where it is known already."""
        if activity is None and cause is not None:
            activity = await activities.find(self.connection, cause)
        description, stated = await self.rule_words(rule, version)
        return Explanation(
            sentence="",
            rule=rule,
            rule_description=description,
            rule_text=stated,
            program_version=version,
            event=event_view(activity) if activity is not None else None,
            facts=facts_of(activity) if activity is not None else None,
            cause=cause,
        )

    async def rule_words(self, rule: str | None, version: int) -> tuple[str | None, str | None]:
        """The rule in plain words, and as the file states it; nothing, where its version cannot be read any more."""
        if rule is None:
            return None, None
        programs = self.service.programs
        try:
            program = (await programs.version(self.connection, version)).program
            source = await programs.source(self.connection, version)
        except (NoProgramError, UnreadableProgramError):
            return None, None
        return describe_rule(program, rule), rule_text(source, rule)


def facts_of(activity: Activity) -> dict[str, object]:
    """All facts right after the activity, money as decimal strings."""
    return plain({name: getattr(activity.facts, name) for name in Facts.__struct_fields__})
