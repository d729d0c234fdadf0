"""What a statement adds to the proof (see 0013) is summed for less: each row is weighed once instead of for every sum,
and an entry is one row instead of two. The sums are the same, so that a transaction may add by both."""

from collections.abc import Callable, Sequence

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
KEEPER = "regulars_ledger"  # whose the entries are, and what guards them
SERVICE = "regulars_rewards"
WEIGHT = "(hashtext(customer_id) | 1)::numeric"
NONE = "0::numeric"

MEMBERS = ("entries", "entries * (entries + 1) / 2", "available", "pending", "reserved", "-debt", NONE, NONE)
LOTS = (
    *(NONE,) * 6,
    "CASE WHEN pending THEN 0 ELSE remaining END",
    "CASE WHEN pending THEN remaining ELSE 0 END",
)
ACCOUNTS = ("available", "pending", "reserved", "debt", "available", "pending")
"""Four balances, and what lots hold."""
COLUMNS = {
    "members": "entries, available, pending, reserved, debt",
    "lots": "pending, remaining",
    "entries": "number, debit, credit, points",
}
SIDES = """(
    SELECT customer_id, credit AS account, points, 1 AS counted, number FROM written
    UNION ALL SELECT customer_id, debit, -points, 0, 0 FROM written
)"""

Sums = Callable[[Sequence[str], str, str], str]
"""Of terms and a transition table, with a sign: the query of what is added."""


def upgrade() -> None:
    """Weigh each row once."""

    def sums_of(table: str) -> Sums:
        weighed = f"SELECT {WEIGHT} AS weight, {COLUMNS[table]} FROM"
        return lambda terms, rows, sign: _query("weight", terms, f"({weighed} {rows} OFFSET 0)", sign)

    _define("members", MEMBERS, sums_of("members"))
    _define("lots", LOTS, sums_of("lots"))
    moved = [f"({_points('credit', account)} - {_points('debit', account)})" for account in ACCOUNTS]
    _define_of_entries(sums_of("entries")(("1", "number", *moved), "written", "-"))


def downgrade() -> None:
    """Weigh it for every sum, and an entry on either side."""

    def sums(terms: Sequence[str], rows: str, sign: str) -> str:
        return _query(WEIGHT, terms, rows, sign)

    _define("members", MEMBERS, sums)
    _define("lots", LOTS, sums)
    moved = [_points("account", account) for account in ACCOUNTS]
    _define_of_entries(sums(("counted", "number", *moved), SIDES, "-"))


def _points(side: str, account: str) -> str:
    return f"CASE {side} WHEN 'customer:{account}' THEN points ELSE 0 END"


def _query(weight: str, terms: Sequence[str], rows: str, sign: str) -> str:
    sums = (term if term == NONE else f"coalesce({sign}sum({weight} * ({term})), 0)" for term in terms)
    return f"SELECT ARRAY[{', '.join(sums)}] FROM {rows} AS changed"  # noqa: S608  # made of this file's own words


def _define(table: str, terms: Sequence[str], sums: Sums) -> None:
    """What an insert adds, or an update: the new rows less the old."""
    _replace(
        table,
        f"""
            PERFORM {SCHEMA}.add_to_proof(({sums(terms, "written", "")}));
            IF TG_OP = 'UPDATE' THEN PERFORM {SCHEMA}.add_to_proof(({sums(terms, "replaced", "-")})); END IF;
        """,
    )


def _define_of_entries(query: str) -> None:
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    _replace("entries", f"PERFORM {SCHEMA}.add_to_proof(({query}));")
    op.execute(f"SET LOCAL ROLE {SERVICE}")


def _replace(table: str, body: str) -> None:
    op.execute(f"""
        CREATE OR REPLACE FUNCTION {SCHEMA}.{table}_join_proof() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {body}
            RETURN NULL;
        END $$
        """)
