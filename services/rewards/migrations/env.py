"""Migrations of rewards."""

from services.rewards.adapters.tables.schema import metadata
from shared.postgres.environment import run

run(metadata)
