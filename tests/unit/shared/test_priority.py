"""A process that nobody waits for leaves the processor to the others."""

import os
import subprocess
import sys

from shared.priority import NICENESS

SCRIPT = "import os; from shared.priority import give_way; give_way(); print(os.nice(0))"


def test_who_gives_way_is_less_urgent_than_who_started_it() -> None:
    told = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    assert int(told) == min(19, os.nice(0) + NICENESS)
