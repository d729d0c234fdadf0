"""Alembic's environment of scoring's tables."""

from services.scoring.adapters.tables.schema import metadata
from shared.postgres.environment import run

run(metadata)
