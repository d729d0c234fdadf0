"""The sender of messages, and the queue that it sends from."""

import random

from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.messages.claims import PostgresClaims
from services.deliveries.adapters.metrics import Measured
from services.deliveries.adapters.own_events import OutboxEvents
from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.adapters.providers.gates import PostgresGates
from services.deliveries.adapters.providers.senders import make_providers
from services.deliveries.adapters.recipients.recipients import PostgresRecipients
from services.deliveries.adapters.webhooks.endpoints import PostgresEndpoints
from services.deliveries.adapters.webhooks.messages import WebhookQueue
from services.deliveries.application.messages.claiming import MessageQueue
from services.deliveries.application.messages.sending import Dispatch
from services.deliveries.application.ports import Renderer
from services.deliveries.application.webhooks.fan_out import FanOut
from services.deliveries.entrypoints.messages.last_look import Beginner
from services.deliveries.entrypoints.messages.sender import MessageSender
from services.deliveries.wiring.parts import SERVICE, passes, renderer_of
from shared.bus.wiring import make_outbox
from shared.clock import Clock
from shared.settings import Settings
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.subject_keys import SubjectKeys


def create_queue(settings: Settings, renderer: Renderer, programs: PostgresPrograms) -> MessageQueue:
    """The queue of messages, as senders use it. Raises `SecretError`."""
    pseudonyms = Pseudonyms(settings.secret, settings.phone_region)
    return MessageQueue(
        recipients=PostgresRecipients(SubjectKeys(settings.secret), pseudonyms),
        rows=PostgresClaims(),
        programs=programs,
        renderer=renderer,
        events=OutboxEvents(make_outbox(settings, SERVICE)),
        news=FanOut(PostgresEndpoints(settings.secret), WebhookQueue()),
        told=Measured(),
    )


def create_sender(settings: Settings, engine: AsyncEngine, clock: Clock) -> MessageSender:
    """The loop that sends messages. Raises `SecretError`, `ProviderSettingsError`."""
    programs = PostgresPrograms()
    renderer = renderer_of(settings, programs)
    providers = make_providers(settings, clock)
    queue = create_queue(settings, renderer, programs)
    begin = Beginner(engine, queue, clock, passes)
    return MessageSender(
        engine=engine,
        dispatch=Dispatch(
            queue, renderer, PostgresGates(), providers.by_channel, begin=begin, chance=random.random
        ),
        clock=clock,
        transient=passes,
        close=providers.close,
    )
