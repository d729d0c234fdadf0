"""Identifiers of every kind link; merges by people, undone ones, suggested ones."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "scoring"
ID = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Keep what is known: an address with a link was seen beside its customer's id."""
    op.add_column("identities", sa.Column("links", sa.String, comment=_LINKS), schema=SCHEMA)
    op.execute("""
        UPDATE scoring.identities e SET links = json_build_array(json_build_array(0, json_build_array(
            to_char(e.linked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), encode(e.linked_key, 'hex')),
            i.pseudonym))::text
        FROM scoring.identities i
        WHERE i.customer_id = e.customer_id AND i.kind = 'id' AND e.linked_at IS NOT NULL
        """)
    op.drop_column("identities", "linked_at", schema=SCHEMA)
    op.drop_column("identities", "linked_key", schema=SCHEMA)
    op.create_table(
        "identity_links",
        sa.Column("beside", ID, primary_key=True),
        sa.Column("pseudonym", ID, primary_key=True),
        schema=SCHEMA,
        comment="The links to anything but shop ids, by their stronger end.",
    )
    _merges()
    _suggestions()
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("idempotency_keys_created_at", "idempotency_keys", ["created_at"], schema=SCHEMA)


_LINKS = "Stronger identifiers beside which it was seen, with the first event each."


def _merges() -> None:
    op.add_column(
        "merges",
        sa.Column(
            "holder", ID, comment="The identifier from which the id comes: it leads wherever that one goes."
        ),
        schema=SCHEMA,
    )
    op.add_column(
        "merges",
        sa.Column(
            "epoch",
            sa.BigInteger,
            nullable=False,
            server_default=sa.text("0"),
            comment="The change since when.",
        ),
        schema=SCHEMA,
    )
    op.drop_column("merges", "at", schema=SCHEMA)
    op.drop_column("merges", "cause", schema=SCHEMA)
    op.create_table_comment(
        "merges", "Ids of customers who are gone, and the customer to whom each leads now.", schema=SCHEMA
    )
    op.create_index("merges_holder", "merges", ["holder"], schema=SCHEMA)
    op.create_table(
        "merge_history",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by_rule", sa.Boolean, nullable=False),
        sa.Column("from_id", ID, nullable=False),
        sa.Column("into_id", ID, nullable=False),
        sa.Column("from_identifier", ID, nullable=False),
        sa.Column("into_identifier", ID, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("actor", sa.String),
        sa.Column("undone_at", MOMENT),
        sa.Column("undone_reason", sa.String),
        sa.Column("undone_by", sa.String),
        schema=SCHEMA,
        comment="Every merge, by the rules or by people: what people merged joins the two identifiers until it is"
        " undone; what was undone stays apart.",
    )
    op.create_index("merge_history_at", "merge_history", ["at", "id"], schema=SCHEMA)
    for end in ("from", "into"):
        op.create_index(
            f"merge_history_{end}",
            "merge_history",
            [f"{end}_identifier"],
            schema=SCHEMA,
            postgresql_where=sa.text("NOT by_rule OR undone_at IS NOT NULL"),
        )


def _suggestions() -> None:
    op.create_table(
        "suggested_merges",
        sa.Column("id", ID, primary_key=True),
        sa.Column("one", ID, nullable=False),
        sa.Column("other", ID, nullable=False),
        sa.Column("via", ID),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("dismissed_at", MOMENT),
        sa.Column("dismissed_by", sa.String),
        sa.UniqueConstraint("one", "other", name="suggested_merges_pair"),
        schema=SCHEMA,
        comment="Pairs of identifiers that may be one customer's, for people to decide.",
    )
    op.create_index("suggested_merges_via", "suggested_merges", ["via"], schema=SCHEMA)


def downgrade() -> None:
    """Drop what came; whose an address was first is not kept."""
    for table in ("idempotency_keys", "suggested_merges", "merge_history", "identity_links"):
        op.drop_table(table, schema=SCHEMA)
    op.drop_index("merges_holder", "merges", schema=SCHEMA)
    op.drop_column("merges", "holder", schema=SCHEMA)
    op.drop_column("merges", "epoch", schema=SCHEMA)
    op.add_column(
        "merges", sa.Column("at", MOMENT, nullable=False, server_default=sa.func.now()), schema=SCHEMA
    )
    op.add_column(
        "merges", sa.Column("cause", sa.LargeBinary, nullable=False, server_default=""), schema=SCHEMA
    )
    op.drop_column("identities", "links", schema=SCHEMA)
    op.add_column("identities", sa.Column("linked_at", MOMENT), schema=SCHEMA)
    op.add_column("identities", sa.Column("linked_key", sa.LargeBinary), schema=SCHEMA)
