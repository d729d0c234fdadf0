"""Rules as SQL answer what they answer in Python: random rules on random facts, in a real database."""

import asyncio

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.scoring.adapters.segments.memberships import encode_facts
from services.scoring.adapters.segments.previews import Previews
from services.scoring.adapters.segments.sql import is_sql, sayable, where
from shared.contracts.activity import Facts
from shared.postgres.engine import create_engine
from shared.program.conditions.condition import Condition, ConditionError, Scope
from tests.support.conditions import computed, conditions, facts
from tests.support.database import TestDatabases

SCOPE = Scope(event=None, nested=True)
INSERT = text("""
    INSERT INTO scoring.facts (customer_id, facts)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(CAST(:facts AS text[]) AS jsonb[]))
    """)
_decoder = msgspec.json.Decoder(Facts)


async def ids_by_sql(
    engine: AsyncEngine, rules: list[Condition], population: list[Facts]
) -> list[tuple[set[str], int]]:
    """Whom SQL finds by each rule (or by what it can say of it), and how many a preview counts."""
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM scoring.facts"))
        await connection.execute(
            INSERT,
            {
                "ids": [f"cus_{n}" for n in range(len(population))],
                "facts": [encode_facts(one) for one in population],
            },
        )
        found = []
        for rule in rules:
            holds, bound = where(sayable(rule.predicate))
            rows = await connection.execute(
                text(f"SELECT customer_id FROM scoring.facts f WHERE {holds}"), bound
            )
            found.append(({row[0] for row in rows}, (await Previews().of(connection, rule)).count))
        return found


def compiled(source: str) -> Condition | None:
    """The condition, when it passes the check."""
    try:
        return Condition.compile(source, SCOPE)
    except ConditionError:
        return None


def test_rules_as_sql_and_as_python_agree(databases: TestDatabases) -> None:
    """Given random customers; when random rules are asked in SQL; then it finds whom the reference finds: no others
    when all of the rule can be said in SQL, and nobody is missed when it cannot."""

    with asyncio.Runner() as runner:
        database = databases.fresh()
        engine = create_engine(runner.run(database.__aenter__()), role="regulars_scoring", pool_size=1)

        @settings(max_examples=60)
        @given(
            sources=st.lists(conditions() | computed(), min_size=10, max_size=20),
            population=st.lists(facts(), min_size=1, max_size=8),
        )
        def agree(sources: list[str], population: list[Facts]) -> None:
            rules = [rule for rule in map(compiled, sources) if rule is not None]
            assume(rules)
            assert [_decoder.decode(encode_facts(one)) for one in population] == population
            found = runner.run(ids_by_sql(engine, rules, population))
            for rule, (ids, count) in zip(rules, found, strict=True):
                expected = {f"cus_{n}" for n, one in enumerate(population) if rule.holds(one)}
                assert count == len(expected), rule.source
                assert (ids == expected) if is_sql(rule.predicate) else (ids >= expected), rule.source

        try:
            agree()
        finally:
            runner.run(engine.dispose())
            runner.run(database.__aexit__(None, None, None))
