"""The tables of scoring. Ids are compared as bytes (collation C): faster, and sorted as Python sorts them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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

from services.scoring.adapters.identity.tables import ID, MOMENT, identity_tables
from services.scoring.adapters.metrics.email_tables import E_MAILS, email_tables
from services.scoring.domain.metrics.measures import NAMES as MEASURES
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

coming_days = Table(
    "coming_days",
    metadata,
    Column("customer_id", ID, primary_key=True),
    Column("next_at", MOMENT),
    Column("told_until", MOMENT, nullable=False),
    Column(
        "marks",
        String,
        nullable=False,
        server_default="",
        comment="Which occasions stood when last looked at, with spaces between.",
    ),
    Column("looked_at", MOMENT),
    Index("coming_days_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    Index("coming_days_looked_at", "looked_at"),
    comment="When the next birthday or anniversary begins, or an occasion may be due, and how far they were told.",
)

occasions = Table(
    "occasions",
    metadata,
    Column("name", String, primary_key=True),
    Column("since", MOMENT, nullable=False, comment="What was due before is not told."),
    comment="The occasions that campaigns ask for: silence and how long, renewals and how long ahead.",
)

occasion_pass = Table(
    "occasion_pass",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("digest", String, nullable=False, comment="Of the occasions that it is for."),
    Column("after_id", ID, comment="How far it has come; null when it is done."),
    CheckConstraint("id = 1", name="occasion_pass_one_row"),
)

identity_tables(metadata)

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

segments = Table(
    "segments",
    metadata,
    Column("id", ID, primary_key=True),
    Column("rule", String, nullable=False),
    Column("actor", String),
    Column("changed_at", MOMENT, nullable=False),
    comment="Saved over the API; the program's are in its file.",
)

memberships = Table(
    "memberships",
    metadata,
    Column("segment", ID, primary_key=True),
    Column("customer_id", ID, primary_key=True),
    Column("since", MOMENT, nullable=False),
)

rankings = Table(
    "rankings",
    metadata,
    Column("at", MOMENT, primary_key=True),
    Column("cuts", String, nullable=False),
    comment="Where the population was cut into percentiles, kept for ever: what ?at= looks at.",
)

segment_revision = Table(
    "segment_revision",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column(
        "program",
        Integer,
        nullable=False,
        server_default="0",
        comment="The version of the program that counts; 0: the file that the process was started with.",
    ),
    CheckConstraint("id = 1", name="segment_revision_one_row"),
    comment="Counts changes of segments and rankings, so that whoever has read them knows when to read again.",
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

segment_pass = Table(
    "segment_pass",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("cause", String, nullable=False, comment="The day, the ranking and the rules it is for."),
    Column("after_id", ID, comment="How far it has come; null when it is done."),
    Column("begun_at", MOMENT, nullable=False),
    Column("passed", String, nullable=False, comment="The rules of the last one that was done."),
    CheckConstraint("id = 1", name="segment_pass_one_row"),
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

stale_rollups = Table(
    "stale_rollups",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", MOMENT, nullable=False),
    Column("since", MOMENT, comment="Events from then on may be counted otherwise; null: any."),
    Column("customers", String, nullable=False, comment="Ids with spaces between; not compressed."),
    comment="Customers whose rollups are out of date: a row per batch that changed some.",
    postgresql_with={"toast_tuple_target": "8160"},
)

rollups = Table(
    "rollups",
    metadata,
    Column("customer_id", ID, primary_key=True),
    Column("due_at", MOMENT, comment="When time alone changes the rollup."),
    Column("rollup", String, nullable=False),
    Index("rollups_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

metric_sums = Table(
    "metric_sums",
    metadata,
    Column("segment", ID, primary_key=True, comment="Empty for all customers."),
    Column(
        "cohort",
        Date,
        primary_key=True,
        comment="Month of the first order, in the sums of all customers; 0001-01-01 elsewhere, and for none.",
    ),
    Column("month", Date, primary_key=True),
    *(Column(name, Numeric if name == "revenue" else BigInteger, nullable=False) for name in MEASURES),
)

completeness_sums = Table(
    "completeness_sums",
    metadata,
    Column("segment", ID, primary_key=True, comment="Empty for all customers."),
    Column("field", ID, primary_key=True),
    Column("customers", BigInteger, nullable=False),
)

rollup_rules = Table(
    "rollup_rules",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("rules", String, nullable=False),
    CheckConstraint("id = 1", name="rollup_rules_one_row"),
    comment="What the rollups were made by: with other rules, everybody is counted anew.",
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

email_tables(metadata)
log_tables(metadata, "outbox")
offset_table(metadata)
unread_table(metadata)
dead_letter_table(metadata)
idempotency_table(metadata)
