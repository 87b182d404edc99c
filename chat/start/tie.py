"""Run a command that ends with its parent: `python -m chat.start.tie COMMAND...`.

The kernel sends SIGTERM to the command when the process that started it dies (Linux, PR_SET_PDEATHSIG, which an exec
keeps), so that even a killed supervisor leaves nothing running. Elsewhere the command runs as it is.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tie_to_parent() -> None:
    """Have this process terminated when its parent dies."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


if __name__ == "__main__":
    tie_to_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
