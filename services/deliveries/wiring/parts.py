"""What the roles of deliveries are all made of."""

from typing import Final

from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.application.messages.rendering import TemplateRenderer
from services.deliveries.domain.messages.links import Links
from shared.bus.faults import is_transient
from shared.program.faults import ProgramError
from shared.program.versions.reading import NoProgramError
from shared.settings import Settings
from shared.vault.secret import derive

SERVICE: Final = "deliveries"


def links_of(settings: Settings) -> Links:
    """What makes and reads the links in messages. Raises `SecretError`."""
    return Links(settings.public_address, derive(settings.secret, "message-links"))


def renderer_of(settings: Settings, programs: PostgresPrograms) -> TemplateRenderer:
    """What makes a message of a template, with links of this installation. Raises `SecretError`."""
    return TemplateRenderer(programs, links_of(settings), settings.tracking)


def passes(error: BaseException) -> bool:
    """Whether an error passes by itself: a program that is not there yet, or that this release cannot read, is no
    record's fault."""
    return isinstance(error, ProgramError | NoProgramError) or is_transient(error)
