"""PostgreSQL killed and started again under a producer and a worker."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.bus.interface import BusUnavailableError
from shared.bus.postgres_bus import PostgresConsumer, PostgresProducer
from shared.bus.tables import bus_tables
from shared.postgres.engine import create_engine
from tests.integration.bus.behaviour import orders_by_key
from tests.integration.bus.probe import (
    PARTITIONS,
    Member,
    create_probe,
    eventually,
    numbered,
    running,
    started,
    until_effects,
)
from tests.support.stack import Postgres
