"""Run a module so that it never outlives the supervisor: `python -m deploy.local.processes.leash PID MODULE ARGS…`.

A supervisor that is killed with -9 cannot end its children. On Linux the kernel does it (PR_SET_PDEATHSIG);
elsewhere a thread looks once a second whether the parent is still the same.
"""

import ctypes
import os
import runpy
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
LOOK_EVERY_S = 1.0


def main(arguments: list[str]) -> None:
    """Tie this process to `arguments[0]`, then become the module `arguments[1]`."""
    parent, module, *rest = arguments
    tie_to(int(parent))
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def tie_to(parent: int) -> None:
    """End this process as soon as `parent` is gone.

    Abrupt on purpose: everything here survives a kill -9, and a successor wants the ports.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    else:
        threading.Thread(target=_watch, args=(parent,), name="leash", daemon=True).start()
    if os.getppid() != parent:  # it died between the start of this process and the line above
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
