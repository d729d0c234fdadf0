"""Migrations of deliveries."""

from services.deliveries.adapters.tables import metadata
from shared.postgres.environment import run

run(metadata)
