"""Migrations of ingest."""

from services.ingest.adapters.tables import metadata
from shared.postgres.environment import run

run(metadata)
