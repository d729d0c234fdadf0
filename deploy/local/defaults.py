"""What an installation on one machine fills in where the settings leave it open."""

from pydantic import SecretStr

from deploy.local.home import Home
from shared.settings import Settings

PARTITIONS_EMBEDDED = 4
"""Of each stream on the PostgreSQL log: as many as one machine has use for."""


def with_secret(settings: Settings, home: Home) -> Settings:
    """The settings with the secret that `home` keeps, unless one is set."""
    if settings.secret is not None:
        return settings
    return settings.model_copy(update={"secret": SecretStr(home.secret())})


def with_partitions(settings: Settings) -> Settings:
    """The settings with few partitions where the streams live in PostgreSQL, unless a number is set."""
    if settings.on_kafka or "partitions" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"partitions": PARTITIONS_EMBEDDED})
