"""The tables of ingest: the spool, in which events wait while Kafka is away."""

from sqlalchemy import MetaData

from shared.bus.log.tables import log_tables

metadata = MetaData(schema="ingest")

spool_records, spool_heads = log_tables(metadata, "spool")
