"""Migrations of what services share."""

from shared.postgres.environment import run
from shared.postgres.platform import metadata

run(metadata)
