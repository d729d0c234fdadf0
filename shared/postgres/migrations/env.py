"""Migrations of what services share."""

from shared.postgres.environment import run
from shared.tables import metadata

run(metadata)
