"""What a statement adds to the proof (see 0013, 0026) is summed in whole numbers of the machine, for a quarter less.

PostgreSQL sums bigints exactly. Where a product is larger than a bigint (more than four billion points, or the numbers
of 92,682 entries and more, times a weight of 32 bits), the statement is summed in decimals. Both come to the same.
"""

from collections.abc import Callable, Sequence

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
KEEPER = "regulars_ledger"  # whose the entries are, and what guards them
SERVICE = "regulars_rewards"
WEIGHT = "(hashtext(customer_id) | 1)"

Column = str | None

MEMBERS: tuple[Column, ...] = ("entries", "numbers", "available", "pending", "reserved", "debt", None, None)
LOTS: tuple[Column, ...] = (None, None, None, None, None, None, "available", "pending")
ENTRIES: tuple[Column, ...] = (
    "one", "numbers", "available", "pending", "reserved", "debt", "available", "pending"
)  # fmt: skip
"""The terms of the proof; None where a table says nothing of it."""


def _moved(account: str) -> str:
    credit, debit = (
        f"CASE {side} WHEN 'customer:{account}' THEN points ELSE 0 END" for side in ("credit", "debit")
    )
    return f"{credit} - {debit} AS {account}"


COLUMNS = {
    "members": "entries, entries * (entries + 1) / 2 AS numbers, available, pending, reserved, -debt AS debt",
    "lots": (
        "CASE WHEN pending THEN 0 ELSE remaining END AS available,"
        " CASE WHEN pending THEN remaining ELSE 0 END AS pending"
    ),
    "entries": ", ".join(
        ("1::bigint AS one", "number AS numbers", *map(_moved, ("available", "pending", "reserved", "debt")))
    ),
}
"""All of them bigints."""


def upgrade() -> None:
    """Sum in bigints where they suffice."""

    def add(table: str, terms: Sequence[Column], rows: str, sign: str) -> str:
        whole, decimal = (_sums(table, terms, rows, sign, kind) for kind in ("bigint", "numeric"))
        return f"""
            BEGIN
                terms := ({whole});
            EXCEPTION WHEN numeric_value_out_of_range THEN
                terms := ({decimal});
            END;
            PERFORM {SCHEMA}.add_to_proof(terms);
            """

    _define_all(add)


def downgrade() -> None:
    """Sum in decimals."""

    def add(table: str, terms: Sequence[Column], rows: str, sign: str) -> str:
        return f"PERFORM {SCHEMA}.add_to_proof(({_sums(table, terms, rows, sign, 'numeric')}));"

    _define_all(add)


def _sums(table: str, terms: Sequence[Column], rows: str, sign: str, kind: str) -> str:
    sums = ", ".join("0" if term is None else f"coalesce({sign}sum(weight * {term}), 0)" for term in terms)
    changed = f"(SELECT {WEIGHT}::{kind} AS weight, {COLUMNS[table]} FROM {rows} OFFSET 0) AS changed"  # noqa: S608  # made of this file's own words
    return f"SELECT ARRAY[{sums}]::numeric[] FROM {changed}"  # noqa: S608


def _define_all(add: Callable[[str, Sequence[Column], str, str], str]) -> None:
    """Every function that adds to the proof: of an insert its rows, of an update the new ones less the old."""
    for table, terms in (("members", MEMBERS), ("lots", LOTS)):
        new, old = add(table, terms, "written", ""), add(table, terms, "replaced", "-")
        _replace(table, f"{new} IF TG_OP = 'UPDATE' THEN {old} END IF;")
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    _replace("entries", add("entries", ENTRIES, "written", "-"))
    op.execute(f"SET LOCAL ROLE {SERVICE}")


def _replace(table: str, body: str) -> None:
    op.execute(f"""
        CREATE OR REPLACE FUNCTION {SCHEMA}.{table}_join_proof() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE terms numeric[];
        BEGIN
            {body}
            RETURN NULL;
        END $$
        """)
