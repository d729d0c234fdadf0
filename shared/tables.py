"""The tables that services share, in schema `platform`: the log of the bus, and what other shared modules keep."""

from sqlalchemy import MetaData

import shared.alerts.tables
import shared.auth.tables
import shared.program.versions.tables
import shared.vault.tables
from shared.bus.log.tables import bus_tables

metadata = MetaData(schema="platform")

bus_tables(metadata)
shared.vault.tables.add_tables(metadata)
shared.auth.tables.add_tables(metadata)
shared.program.versions.tables.add_tables(metadata)
shared.alerts.tables.add_tables(metadata)
