"""What the roles of scoring are all made of."""

from typing import Final

from services.scoring.adapters.customers.customers import PostgresCustomers
from services.scoring.adapters.customers.orders import PostgresOrders
from services.scoring.adapters.due.coming_days import PostgresComingDays
from services.scoring.adapters.events.inbox import PostgresInbox
from services.scoring.adapters.events.timeline import PostgresTimeline
from services.scoring.adapters.identity.decisions import PostgresDecisions
from services.scoring.adapters.identity.identities import PostgresIdentities
from services.scoring.adapters.language.reader import TextReader
from services.scoring.adapters.metrics.stale import PostgresStale
from services.scoring.adapters.programs import PostgresPrograms
from services.scoring.adapters.rebuilding import PostgresRebuilds
from services.scoring.adapters.segments.segments import PostgresRules
from services.scoring.application.events.take_in import TakeIn
from services.scoring.application.rebuilding.rebuild import Rebuild
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


def rules_of(program: Program) -> PostgresRules:
    """What scoring goes by: the stored version in force, and until there is one this program."""
    return PostgresRules(ScoreSettings.of(program), PostgresPrograms(program))


def take_in_of(
    settings: Settings,
    rules: PostgresRules,
    reader: TextReader,
    identities: PostgresIdentities,
    decisions: PostgresDecisions,
) -> TakeIn:
    """The use case of events that are taken in; decisions about merges take them in again by the same."""
    return TakeIn(
        inbox=PostgresInbox(),
        identities=identities,
        customers=PostgresCustomers(),
        orders=PostgresOrders(),
        timeline=PostgresTimeline(),
        decisions=decisions,
        stale=PostgresStale(),
        reader=reader,
        outbox=make_outbox(settings, SERVICE),
        rules=rules,
        coming=PostgresComingDays(),
    )


def rebuild_of(
    settings: Settings, rules: PostgresRules, rebuilds: PostgresRebuilds, reader: TextReader
) -> Rebuild:
    """The use case of customers who are folded anew."""
    return Rebuild(
        rebuilds=rebuilds,
        customers=PostgresCustomers(),
        orders=PostgresOrders(),
        timeline=PostgresTimeline(),
        outbox=make_outbox(settings, SERVICE),
        stale=PostgresStale(),
        rules=rules,
        coming=PostgresComingDays(),
        reader=reader,
    )
