"""Which processes go first where several share the processors."""

import os
import sys

NICENESS = 10


def give_way() -> None:
    """Let the processes that somebody waits for (checkouts, streams) go before this one."""
    if sys.platform != "win32":
        os.nice(NICENESS)
