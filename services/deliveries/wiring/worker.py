"""The worker of deliveries."""

from typing import Final

from services.deliveries.adapters.messages.messages import PostgresMessages
from services.deliveries.adapters.metrics import Measured
from services.deliveries.adapters.own_events import OutboxEvents
from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.adapters.recipients.recipients import PostgresRecipients
from services.deliveries.adapters.recipients.withdrawals import Withdrawals
from services.deliveries.adapters.recipients.writes import PostgresKnowing
from services.deliveries.adapters.webhooks.endpoints import PostgresEndpoints
from services.deliveries.adapters.webhooks.messages import WebhookQueue
from services.deliveries.application.consuming import OutcomeHandler
from services.deliveries.application.messages.first_look import FirstLook
from services.deliveries.application.messages.queueing import QueueMessages
from services.deliveries.application.ports import Taker
from services.deliveries.application.recipients.knowing import KnowRecipients
from services.deliveries.application.recipients.tagging import TagCustomers
from services.deliveries.application.webhooks.fan_out import FanOut
from services.deliveries.entrypoints.messages.forgetting import Forgetting
from services.deliveries.entrypoints.messages.queue_watch import QueueWatch
from services.deliveries.entrypoints.webhooks.sender import WebhookSender
from services.deliveries.entrypoints.worker import DeliveriesWorker, Running
from services.deliveries.wiring.parts import SERVICE, passes, renderer_of
from services.deliveries.wiring.sender import create_sender
from shared.bus.consuming.dead_letters import DeadLetters
from shared.bus.consuming.offsets import Offsets
from shared.bus.consuming.worker import StreamWorker
from shared.bus.wiring import make_consumer, make_outbox, make_relay
from shared.clock import Clock, system_clock
from shared.contracts.outcomes import OUTCOMES_TOPIC
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.engine import service_engine
from shared.settings import Settings
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.subject_keys import SubjectKeys

PACE_S: Final = 0.25
"""Between two batches of outcomes under steady load: nobody misses a letter for a quarter of a second, and larger
batches leave the machine to those who are waited for (see `shared.bus.consuming.pace`)."""


def create_worker(settings: Settings, clock: Clock = system_clock) -> DeliveriesWorker:
    """The worker, ready to run. Raises `SecretError`."""
    engine = service_engine(settings, SERVICE)
    keys, pseudonyms = SubjectKeys(settings.secret), Pseudonyms(settings.secret, settings.phone_region)
    recipients, messages = PostgresRecipients(keys, pseudonyms), PostgresMessages()
    knowing = PostgresKnowing(keys, recipients)
    endpoints, webhooks = PostgresEndpoints(settings.secret), WebhookQueue()
    programs = PostgresPrograms()
    look = FirstLook(recipients, programs, renderer_of(settings, programs), Measured())
    takers: list[Taker] = [
        KnowRecipients(knowing),
        Withdrawals(),
        QueueMessages(knowing, messages, look),
        FanOut(endpoints, webhooks),
        TagCustomers(knowing, OutboxEvents(make_outbox(settings, SERVICE))),
    ]
    loops: dict[str, Running] = {
        "queue": QueueWatch(engine, clock, PostgresPrograms()),
        "messages": create_sender(settings, engine, clock),
        "forgetting": Forgetting(engine, clock, PostgresPrograms(), settings.messages_months),
        "webhooks": WebhookSender.of(settings, engine, endpoints, webhooks, clock),
    }
    stream = StreamWorker(
        engine=engine,
        consumer=make_consumer(settings, engine, SERVICE, OUTCOMES_TOPIC),
        topic=OUTCOMES_TOPIC,
        offsets=Offsets(SERVICE),
        dead_letters=DeadLetters(SERVICE),
        handle=OutcomeHandler(takers),
        clock=clock,
        batch_records=settings.batch_records,
        transient=passes,
        pace_s=PACE_S,
    )
    return DeliveriesWorker(
        engine=engine,
        stream=stream,
        relay=make_relay(settings, engine, SERVICE),
        loops=loops,
        keys=IdempotencyKeys(SERVICE, settings.secret),
        secret=settings.secret,
        clock=clock,
    )
