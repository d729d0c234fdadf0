"""The tables of who is who: identifiers and whose they are, merges, and what may be one."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from services.scoring.adapters.tables.column_types import ID, MOMENT


def identity_tables(metadata: MetaData) -> None:
    """Define them in the service's metadata."""
    Table(
        "identities",
        metadata,
        Column("pseudonym", ID, primary_key=True),
        Column("kind", String, nullable=False),
        Column("customer_id", ID, nullable=False),
        Column(
            "links",
            String,
            comment="Stronger identifiers beside which it was seen, with the first event each.",
        ),
        Index("identities_customer", "customer_id"),
    )
    Table(
        "identity_links",
        metadata,
        Column("beside", ID, primary_key=True),
        Column("pseudonym", ID, primary_key=True),
        comment="The links to anything but shop ids, by their stronger end.",
    )
    Table(
        "identity_epoch",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("epoch", BigInteger, nullable=False),
        CheckConstraint("id = 1", name="identity_epoch_one_row"),
        comment="Counts the transactions that changed whose an identifier is; what was read before may be out of date.",
    )
    Table(
        "merges",
        metadata,
        Column("loser", ID, primary_key=True),
        Column("winner", ID, nullable=False),
        Column(
            "holder", ID, comment="The identifier from which the id comes: it leads wherever that one goes."
        ),
        Column(
            "epoch", BigInteger, nullable=False, server_default=text("0"), comment="The change since when."
        ),
        Index("merges_winner", "winner"),
        Index("merges_holder", "holder"),
        comment="Ids of customers who are gone, and the customer to whom each leads now.",
    )
    Table(
        "merge_history",
        metadata,
        Column("id", ID, primary_key=True),
        Column("at", MOMENT, nullable=False),
        Column("by_rule", Boolean, nullable=False),
        Column("from_id", ID, nullable=False),
        Column("into_id", ID, nullable=False),
        Column("from_identifier", ID, nullable=False),
        Column("into_identifier", ID, nullable=False),
        Column("reason", String),
        Column("actor", String),
        Column("undone_at", MOMENT),
        Column("undone_reason", String),
        Column("undone_by", String),
        Index("merge_history_at", "at", "id"),
        Index("merge_history_from_id", "from_id", "at", "id"),
        Index("merge_history_into_id", "into_id", "at", "id"),
        Index(
            "merge_history_from",
            "from_identifier",
            postgresql_where=text("NOT by_rule OR undone_at IS NOT NULL"),
        ),
        Index(
            "merge_history_into",
            "into_identifier",
            postgresql_where=text("NOT by_rule OR undone_at IS NOT NULL"),
        ),
        comment="Every merge, by the rules or by people: what people merged joins the two identifiers until it is"
        " undone; what was undone stays apart.",
    )
    Table(
        "suggested_merges",
        metadata,
        Column("id", ID, primary_key=True),
        Column("one", ID, nullable=False),
        Column("other", ID, nullable=False),
        Column("via", ID),
        Column("at", MOMENT, nullable=False),
        Column("dismissed_at", MOMENT),
        Column("dismissed_by", String),
        UniqueConstraint("one", "other", name="suggested_merges_pair"),
        Index("suggested_merges_via", "via"),
        comment="Pairs of identifiers that may be one customer's, for people to decide.",
    )
