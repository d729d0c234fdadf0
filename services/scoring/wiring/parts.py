"""What the roles of scoring are all made of."""

from typing import Final

from services.scoring.adapters.customers.customers import SqlCustomers
from services.scoring.adapters.customers.orders import SqlOrders
from services.scoring.adapters.due.coming_days import SqlComingDays
from services.scoring.adapters.due.stale import SqlStale
from services.scoring.adapters.events.inbox import SqlInbox
from services.scoring.adapters.events.timeline import SqlTimeline
from services.scoring.adapters.identity.decisions import SqlDecisions
from services.scoring.adapters.identity.identities import SqlIdentities
from services.scoring.adapters.language.reader import TextReader
from services.scoring.adapters.programs import SqlPrograms
from services.scoring.adapters.rebuilds import SqlRebuilds
from services.scoring.adapters.segments.segments import SqlRules
from services.scoring.application.rebuild import Rebuild
from services.scoring.application.take_in import TakeIn
from services.scoring.domain.settings import ScoreSettings
from shared.bus.wiring import make_outbox
from shared.program import program_text
from shared.program.model.program import Program
from shared.program.parse import load_program
from shared.settings import Settings

SERVICE: Final = "scoring"


def program_of(settings: Settings) -> Program:
    """The file, which counts until a version is stored."""
    return load_program(program_text(settings.program))


def rules_of(program: Program) -> SqlRules:
    """What scoring goes by: the stored version in force, and until there is one this program."""
    return SqlRules(ScoreSettings.of(program), SqlPrograms(program))


def take_in_of(
    settings: Settings,
    rules: SqlRules,
    reader: TextReader,
    identities: SqlIdentities,
    decisions: SqlDecisions,
) -> TakeIn:
    """The use case of events that are taken in; decisions about merges take them in again by the same."""
    return TakeIn(
        inbox=SqlInbox(),
        identities=identities,
        customers=SqlCustomers(),
        orders=SqlOrders(),
        timeline=SqlTimeline(),
        decisions=decisions,
        stale=SqlStale(),
        reader=reader,
        outbox=make_outbox(settings, SERVICE),
        rules=rules,
        coming=SqlComingDays(),
    )


def rebuild_of(settings: Settings, rules: SqlRules, rebuilds: SqlRebuilds, reader: TextReader) -> Rebuild:
    """The use case of customers who are folded anew."""
    return Rebuild(
        rebuilds=rebuilds,
        customers=SqlCustomers(),
        orders=SqlOrders(),
        timeline=SqlTimeline(),
        outbox=make_outbox(settings, SERVICE),
        stale=SqlStale(),
        rules=rules,
        coming=SqlComingDays(),
        reader=reader,
    )
