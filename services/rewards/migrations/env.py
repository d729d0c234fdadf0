"""Migrations of rewards."""

from services.rewards.adapters.tables import metadata
from shared.postgres.environment import run

run(metadata)
