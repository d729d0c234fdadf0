"""`regulars ledger import`: opening balances from CSV, each once."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import Result

from deploy.errors import LocalError
from shared.contracts.customer import own_id
from tests.integration.deploy.test_commands import regulars  # noqa: F401  # a fixture
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, both, went
from tests.unit.rewards.building import activity

Regulars = Callable[..., Awaitable[Result]]
FILE = f"""customer,points,expires_on,reference
{ANA},500,2099-12-31,old-2025
{ANA},70,,old-2026
shop-7,40,,
"""


async def known(rewards: Rewards) -> None:
    """Ana and Ben with 150 and 170 points, and a customer whom the shop calls shop-7."""
    await both(rewards)
    named = {"id": [rewards.pseudonyms.of("id", "shop-7")]}
    await rewards.happen(activity("login.recorded", "l", customer="cus_seven", identifiers=named))


async def test_opening_balances_are_taken_once(rewards: Rewards, regulars: Regulars, tmp_path: Path) -> None:  # noqa: F811
    """Given customers known by our id and by the shop's; when a file is imported, twice, and once more after one was
    merged; then each line gave its points once, with its own end, and nobody is to be written to."""
    await known(rewards)
    file = tmp_path / "balances.csv"
    file.write_text(FILE)
    tried = await regulars("ledger", "import", str(file), "--dry-run")
    assert "3 balances would be opened with 610 points" in tried.output, tried.output
    assert await rewards.rows("SELECT count(*) FROM rewards.adjustments") == [(0,)]

    first = await regulars("ledger", "import", str(file))
    assert first.exit_code == 0, first.output
    assert "3 balances opened with 610 points; 0 were there before; 0 lines refused." in first.output
    await rewards.happen(went("customer.merged", ANA, BEN, [ANA], 1))
    again = await regulars("ledger", "import", str(file))
    assert "0 balances opened with 0 points; 3 were there before; 0 lines refused." in again.output

    balances = dict(await rewards.rows("SELECT customer_id, available FROM rewards.members"))
    assert balances == {ANA: 0, BEN: 150 + 170 - 100 + 570, "cus_seven": 40}
    assert await rewards.rows("SELECT expires_at::date::text FROM rewards.lots WHERE points = 500") == [
        ("2100-01-01",)
    ]
    assert await rewards.rows("SELECT DISTINCT reason, actor FROM rewards.adjustments") == [
        ("Opening balance", "import")
    ]
    told = [each for each in await rewards.outcomes() if each.type == "points.adjusted"]
    assert len(told) == 3
    assert all(each.historical for each in told)
    await rewards.check()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{ANA},0,,", "points must be a whole number"),
        (f"{ANA},-5,,", "points must be a whole number"),
        (f"{ANA},1.5,,", "points must be a whole number"),
        (f"{ANA},5,31.12.2027,", "expires_on must be a day"),
        (f"{ANA},5,2001-01-01,", "expired on 2001-01-01"),
        ("nobody,5,,", "nobody goes by this id"),
        (",5,,", "customer must be an id"),
        (f"{ANA},5", "not as many values"),
        (f"{BEN},5,,", "line 2 again"),
        (f"{ANA},5,9999-12-31,", "before the year 2200"),
        (f"{ANA},{'9' * 5000},,", "points must be"),
    ],
)
async def test_a_wrong_line_is_refused_and_the_others_are_taken(
    rewards: Rewards,
    regulars: Regulars,  # noqa: F811
    tmp_path: Path,
    line: str,
    said: str,
) -> None:
    """Given a file with one wrong line; when it is imported; then the line is named, the end is 1, the rest is
    taken."""
    await known(rewards)
    file = tmp_path / "balances.csv"
    file.write_text(f"Customer,Points,expires_on,reference\n{BEN},30,,\n{line}\n")
    answer = await regulars("ledger", "import", str(file))
    assert answer.exit_code == 1
    assert "line 3: " in answer.output
    assert said in answer.output
    assert await rewards.rows("SELECT sum(points)::int FROM rewards.adjustments") == [(30,)]


async def test_another_figure_for_the_same_balance_is_refused(
    rewards: Rewards,
    regulars: Regulars,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Given a balance that was opened; when a file says another figure for it; then nothing changes."""
    await known(rewards)
    file = tmp_path / "balances.csv"
    for points in (30, 40):
        file.write_text(f"customer,points\n{BEN},{points}\n")
        answer = await regulars("ledger", "import", str(file))
    assert "was taken before with 30 points" in answer.output
    assert await rewards.rows("SELECT sum(points)::int FROM rewards.adjustments") == [(30,)]


async def test_a_file_of_other_columns_is_refused(
    rewards: Rewards,
    regulars: Regulars,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Given a file that has other columns, or one of them twice; then it is refused with what they should be."""
    file = tmp_path / "balances.csv"
    file.write_text("customer,pionts\nx,1\n")
    answer = await regulars("ledger", "import", str(file))
    assert isinstance(answer.exception, LocalError)
    assert "customer,points,expires_on,reference" in str(answer.exception)
    file.write_text("customer,points,points\nx,1,2\n")
    answer = await regulars("ledger", "import", str(file))
    assert isinstance(answer.exception, LocalError)
    assert "two columns 'points'" in str(answer.exception)


async def test_a_balance_is_opened_once_under_the_shops_id_and_ours(
    rewards: Rewards,
    regulars: Regulars,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Given a customer whom the shop calls c-9; when a balance is told under that name, and again under our id; then
    it is opened once."""
    pseudonym = rewards.pseudonyms.of("id", "c-9")
    await rewards.happen(
        activity("login.recorded", "l", customer=own_id(pseudonym), identifiers={"id": [pseudonym]})
    )
    file = tmp_path / "balances.csv"
    file.write_text(f"customer,points\nc-9,30\n{own_id(pseudonym)},30\n")
    answer = await regulars("ledger", "import", str(file))
    assert "1 balances opened with 30 points; 1 were there before" in answer.output
