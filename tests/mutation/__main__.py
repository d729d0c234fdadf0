"""python -m tests.mutation [MODULE ...] [--tests PATH ...] [--only WORDS]: which faults no test would notice.

Each mutant lives in a process forked from one in which all tests are loaded; it runs the tests that reach its
function, the quickest first, until one fails. `MODULE` is one of `services/rewards/domain`, such as `points.ledger`,
or any by its whole name, such as `services.deliveries.domain.messages.quiet`, with the `--tests` of it; without one it
is those that docs/mutation.md begins with. `--only` takes mutants whose name contains these words. What is explained in
docs/mutation.md may live on; ends with 1 if anything else does.
"""

import argparse
import os
import sys

import pytest

from tests.mutation.run import Mutation

MODULES = (
    "decide",
    "earning.limits",
    "earning.milestones",
    "earning.referrals",
    "earning.undoing",
    "points.balances",
    "points.books",
    "points.expiry",
    "points.ledger",
    "state.accounts",
    "state.lots",
    "state.purchases",
    "state.redemptions",
    "spending.checkout",
    "spending.terms",
    "tiering.benefits",
    "tiering.tiers",
    "tiering.tier_time",
    "tiering.standing",
    "tiering.counting",
    "tiering.recurring",
    "tiering.looking_back",
    "tiering.past_orders",
)
TESTS = (
    "tests/unit/rewards",
    "tests/property/rewards/test_tiers.py",
    "tests/property/rewards/test_ledger.py",
)
NICE = 10


def main() -> int:
    """Run the tests under all mutants."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    parser.add_argument("--tests", nargs="+", default=TESTS, metavar="PATH")
    parser.add_argument("--only", default="", metavar="WORDS")
    told = parser.parse_args()
    os.nice(NICE)
    mutation = Mutation(told.modules, told.only)
    args = ["-q", "-n0", "--no-header", "-p", "no:cacheprovider", *told.tests]
    args += [
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]  # of modules that this one has imported already
    return pytest.main(args, plugins=[mutation]) or len(mutation.alive) > 0


if __name__ == "__main__":
    sys.exit(main())
