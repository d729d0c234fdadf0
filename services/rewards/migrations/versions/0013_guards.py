"""The database itself holds the ledger together: at every commit members, lots and entries must have moved alike,
and no role of a service may change an entry.

To sum up all entries of a customer at every commit would cost more than all else. So each statement adds what it
changed, times a hash of the customer, to a sum that the transaction keeps (`rewards.proof`): members and lots add,
entries take away. At commit, once per transaction, the sum must be nothing. It is, if every customer's rows moved
alike, in whatever order they were written; if not, it is only by a coincidence of one in billions. As it held
before, balances are the sums of all entries.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
SERVICE = "regulars_rewards"
KEEPER = "regulars_ledger"
"""Owns the entries and what guards them; no process ever acts as it."""

CHECKS = {
    "entries_customer": "debit LIKE 'customer:%' OR credit LIKE 'customer:%'",
    "entries_lot": (
        "lot IS NOT NULL OR NOT"
        " (ARRAY[debit, credit]::text[] && ARRAY['customer:available', 'customer:pending'])"
    ),
}

TERMS = 8
"""Of the proof: entries counted, the sum of their numbers, four balances, and what lots hold available and pending."""
WEIGHT = "(hashtext(customer_id) | 1)::numeric"
NONE = "0::numeric"


def _account(name: str) -> str:
    account = f"'customer:{name}'"
    return f"CASE account WHEN {account} THEN points ELSE 0 END"


MEMBERS = (
    "entries",
    "entries * (entries + 1) / 2",
    "available",
    "pending",
    "reserved",
    "-debt",
    NONE,
    NONE,
)
LOTS = (
    *(NONE,) * 6,
    "CASE WHEN pending THEN 0 ELSE remaining END",
    "CASE WHEN pending THEN remaining ELSE 0 END",
)
ENTRIES = (
    "counted",
    "number",
    *(_account(name) for name in ("available", "pending", "reserved", "debt")),
    *(_account(name) for name in ("available", "pending")),
)
SIDES = """(
    SELECT customer_id, credit AS account, points, 1 AS counted, number FROM written
    UNION ALL SELECT customer_id, debit, -points, 0, 0 FROM written
)"""
"""Each new entry as what it does to either account; counted once."""

ONCE = (
    "CASE WHEN current_setting('rewards.proof_due', true) = 'yes' THEN false"
    " ELSE set_config('rewards.proof_due', 'yes', true) = 'yes' END"
)
"""True of the first row that a transaction writes: one check per transaction, not one per row."""

GUARDED = {"members": ("INSERT", "UPDATE"), "lots": ("INSERT", "UPDATE"), "entries": ("INSERT",)}


def upgrade() -> None:
    for name, condition in CHECKS.items():
        op.create_check_constraint(name, "entries", condition, schema=SCHEMA)
    _proof()
    _collect("members", MEMBERS, "written", "replaced")
    _collect("lots", LOTS, "written", "replaced")
    _collect("entries", ENTRIES, SIDES, None)
    for table in ("members", "lots"):
        _forbid_removal(table)
    _hand_over()


def _proof() -> None:
    """The sum that a transaction keeps, and the check at its end."""
    added = ", ".join(f"known[{n}] + terms[{n}]" for n in range(1, TERMS + 1))
    op.execute(f"""
        CREATE FUNCTION {SCHEMA}.add_to_proof(terms numeric[]) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE known numeric[] := nullif(current_setting('rewards.proof', true), '')::numeric[];
        BEGIN
            IF known IS NOT NULL THEN terms := ARRAY[{added}]; END IF;
            PERFORM set_config('rewards.proof', terms::text, true);
        END $$
        """)
    op.execute(f"""
        CREATE FUNCTION {SCHEMA}.ledger_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE proof numeric[] := nullif(current_setting('rewards.proof', true), '')::numeric[];
        BEGIN
            PERFORM set_config('rewards.proof_due', '', true);
            IF 0 <> ANY (proof) THEN
                RAISE EXCEPTION 'members, lots and entries have not moved alike: %', CASE
                    WHEN proof[1] <> 0 OR proof[2] <> 0 THEN 'entries are missing, or not counted by their member'
                    WHEN 0 <> ANY (proof[3:6]) THEN 'a balance is not the sum of its entries'
                    ELSE 'lots do not hold the balance' END
                    USING ERRCODE = 'integrity_constraint_violation',
                        HINT = 'Nothing was written. `regulars ledger verify` examines what is stored.';
            END IF;
            RETURN NULL;
        END $$
        """)
    for table, events in GUARDED.items():
        op.execute(f"""
            CREATE CONSTRAINT TRIGGER {table}_balanced AFTER {" OR ".join(events)} ON {SCHEMA}.{table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({ONCE})
            EXECUTE FUNCTION {SCHEMA}.ledger_is_balanced()
            """)


def _collect(table: str, terms: tuple[str, ...], written: str, replaced: str | None) -> None:
    """Triggers that add to the proof what a statement on the table changed."""
    sign = "-" if table == "entries" else ""
    new = _weighted(terms, written, sign)
    old = f"PERFORM {SCHEMA}.add_to_proof(({_weighted(terms, replaced, '-')}));" if replaced else ""
    op.execute(f"""
        CREATE FUNCTION {SCHEMA}.{table}_join_proof() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM {SCHEMA}.add_to_proof(({new}));
            IF TG_OP = 'UPDATE' THEN {old or "NULL;"} END IF;
            RETURN NULL;
        END $$
        """)
    for event in GUARDED[table]:
        tables = "NEW TABLE AS written" + (" OLD TABLE AS replaced" if event == "UPDATE" else "")
        op.execute(f"""
            CREATE TRIGGER {table}_join_proof_{event.lower()} AFTER {event} ON {SCHEMA}.{table}
            REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.{table}_join_proof()
            """)


def _weighted(terms: tuple[str, ...], rows: str, sign: str) -> str:
    sums = ", ".join(
        term if term == NONE else f"coalesce({sign}sum({WEIGHT} * ({term})), 0)" for term in terms
    )
    return f"SELECT ARRAY[{sums}] FROM {rows} AS changed"  # noqa: S608  # made of this file's own words


def _forbid_removal(table: str) -> None:
    """Members and lots are never removed: their entries name them."""
    op.execute(f"""
        CREATE FUNCTION {SCHEMA}.{table}_stay() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{SCHEMA}.{table} stay: % refused', TG_OP USING ERRCODE = 'restrict_violation';
        END $$
        """)
    op.execute(f"""
        CREATE TRIGGER {table}_stay BEFORE DELETE OR TRUNCATE ON {SCHEMA}.{table}
        FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.{table}_stay()
        """)


KEPT_FUNCTIONS = (
    "add_to_proof(numeric[])",
    "ledger_is_balanced()",
    "entries_join_proof()",
    "entries_are_append_only()",
)


def _hand_over() -> None:
    """The service may read and add entries, and nothing else: not even switch off their triggers."""
    op.execute(f"GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO {KEEPER}")
    op.execute("SET LOCAL ROLE NONE")
    _own(KEEPER)
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    op.execute(f"REVOKE ALL ON {SCHEMA}.entries FROM {SERVICE}")
    op.execute(f"GRANT SELECT, INSERT ON {SCHEMA}.entries TO {SERVICE}")
    op.execute(f"SET LOCAL ROLE {SERVICE}")


def _own(role: str) -> None:
    op.execute(f"ALTER TABLE {SCHEMA}.entries OWNER TO {role}")
    for function in KEPT_FUNCTIONS:
        op.execute(f"ALTER FUNCTION {SCHEMA}.{function} OWNER TO {role}")


def downgrade() -> None:
    """Give the entries back, and let only the code hold the ledger together."""
    op.execute("SET LOCAL ROLE NONE")
    _own(SERVICE)
    op.execute(f"SET LOCAL ROLE {SERVICE}")
    op.execute(f"REVOKE ALL ON SCHEMA {SCHEMA} FROM {KEEPER}")
    for table in ("members", "lots"):
        op.execute(f"DROP TRIGGER {table}_stay ON {SCHEMA}.{table}")
        op.execute(f"DROP FUNCTION {SCHEMA}.{table}_stay()")
    for table, events in GUARDED.items():
        op.execute(f"DROP TRIGGER {table}_balanced ON {SCHEMA}.{table}")
        for event in events:
            op.execute(f"DROP TRIGGER {table}_join_proof_{event.lower()} ON {SCHEMA}.{table}")
        op.execute(f"DROP FUNCTION {SCHEMA}.{table}_join_proof()")
    op.execute(f"DROP FUNCTION {SCHEMA}.ledger_is_balanced()")
    op.execute(f"DROP FUNCTION {SCHEMA}.add_to_proof(numeric[])")
    for name in CHECKS:
        op.drop_constraint(name, "entries", schema=SCHEMA)
