"""What the API and the worker are both made of."""

from typing import Final

from services.rewards.adapters.names import Names
from services.rewards.adapters.programs import PostgresPrograms
from shared.settings import Settings
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.secret import derive

SERVICE: Final = "rewards"


def programs_of(settings: Settings) -> PostgresPrograms:
    """The program's versions as this process reads them."""
    return PostgresPrograms(derive(settings.secret, "offer-codes"))


def names_of(settings: Settings) -> Names:
    """Finds members by the names that the shop has for them."""
    return Names(Pseudonyms(settings.secret, settings.phone_region))
