"""The tables of schema `scoring`: customers and their events, and what the service notes of itself. Those of other
subjects stand beside this file."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.scoring.adapters.tables.column_types import ID, MOMENT
from services.scoring.adapters.tables.due import due_tables
from services.scoring.adapters.tables.emails import E_MAILS, email_tables
from services.scoring.adapters.tables.identity import identity_tables
from services.scoring.adapters.tables.metrics import metric_tables
from services.scoring.adapters.tables.segments import segment_tables
from shared.bus.consuming.dead_letters import dead_letter_table
from shared.bus.consuming.offsets import offset_table, unread_table
from shared.bus.log.tables import log_tables
from shared.http.idempotency import idempotency_table

metadata = MetaData(schema="scoring")

inbox = Table(
    "inbox",
    metadata,
    Column("event_key", LargeBinary, primary_key=True),
    comment="The identity of every event ever taken in: the same event twice counts once, for ever.",
)

customers = Table(
    "customers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("state", String, nullable=False),
    Column("stage", String, nullable=False, comment="The stage that the activity stream was last told."),
    Column("orders", Integer, nullable=False),
    Column("spend", Numeric, nullable=False),
    Column("last_order_at", MOMENT),
    Column("at_risk_at", MOMENT),
    Column("lapses_at", MOMENT),
    Column("churns_at", MOMENT),
    Column("loyal_until", MOMENT),
    Column("check_at", MOMENT, comment="Never later than the moment at which time alone changes the stage."),
    Column("updated_at", MOMENT, nullable=False),
    Column(
        "segments",
        String,
        nullable=False,
        server_default="",
        comment="Ids with spaces between: the membership that the activity stream was last told.",
    ),
    Column(
        "score", SmallInteger, comment="The score that the activity stream was last told; null: not known."
    ),
    # The only index beside the key. `check_at` moves only when it must become earlier, or by the sweep, so that
    # updates stay within their page (HOT); the fill factor leaves them room, and large rows stay uncompressed.
    Index("customers_check", "check_at", postgresql_where=text("check_at IS NOT NULL")),
    postgresql_with={"fillfactor": "70", "toast_tuple_target": "4080"},
)

orders = Table(
    "orders",
    metadata,
    Column("customer_id", ID, primary_key=True),
    Column("order_id", ID, primary_key=True),
    Column("event_key", LargeBinary),
    Column("placed_at", MOMENT),
    Column("currency", String),
    Column("total", Numeric, nullable=False),
    Column("refunded", Numeric, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("refunds", JSON(none_as_null=True)),
)

timeline = Table(
    "timeline",
    metadata,
    Column("customer_id", ID, primary_key=True),
    Column("at", MOMENT, primary_key=True),
    Column("event_key", LargeBinary, primary_key=True),
    Column("type", String, nullable=False),
    Column("subject", String, nullable=False),
    Column(
        "record",
        JSON,
        nullable=False,
        comment="The event record as it travelled; personal data is sealed in it.",
    ),
    Column(
        "reading", String, comment="What its texts say: how they sound, and where they give a tag; no words."
    ),
    Index("timeline_emails", "at", postgresql_where=text(E_MAILS)),
    postgresql_with={"toast_tuple_target": "8160"},
)

facts = Table(
    "facts",
    metadata,
    Column("customer_id", ID, primary_key=True),
    Column("facts", JSONB, nullable=False),
    # Beside the customers, so that a preview reads little; no other index, so that updates stay within their page.
    comment="The facts of each customer when last looked at: what previews of segments count.",
    postgresql_with={"fillfactor": "80"},
)

program_switches = Table(
    "program_switches",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("at", MOMENT, nullable=False),
    Column("anew", String, nullable=False, comment="What had to be made anew for it."),
    comment="The versions of the program that were taken up.",
)

rebuilds = Table(
    "rebuilds",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("program", String, nullable=False, comment="A digest of the program that it folds with."),
    Column("begun_at", MOMENT, nullable=False),
    Column("cursor", ID, nullable=False, comment="All customers up to this id are done."),
    Column("customers", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("finished_at", MOMENT, comment="Done, or given up for one with another program."),
    Index(
        "rebuilds_under_way",
        text("(finished_at IS NULL)"),
        unique=True,
        postgresql_where=text("finished_at IS NULL"),
    ),
)

text_engine = Table(
    "text_engine",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("engine", String, nullable=False),
    Column("noted_at", MOMENT, nullable=False),
    CheckConstraint("id = 1", name="text_engine_one_row"),
    comment="The engine of the worker that started last.",
)

identity_tables(metadata)
due_tables(metadata)
segment_tables(metadata)
metric_tables(metadata)
email_tables(metadata)
log_tables(metadata, "outbox")
offset_table(metadata)
unread_table(metadata)
dead_letter_table(metadata)
idempotency_table(metadata)
