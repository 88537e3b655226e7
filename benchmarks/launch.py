"""Start one command and tell what it took: `python -I -S benchmarks/launch.py FD COMMAND…`, for `measure.py`.

It imports next to nothing, since the peak that the system tells of a child is at least what its parent held.
"""

import os
import sys
from time import perf_counter

_BYTES = 1 if sys.platform == "darwin" else 1024  # that ru_maxrss counts


def main() -> int:
    """Write `taken SECONDS CPU PEAK`, or `error REASON`, to the descriptor; give the command's exit status."""
    told, argv = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(told, False)
    began = perf_counter()
    try:
        pid = os.posix_spawnp(argv[0], argv, os.environ)
    except OSError as error:
        os.write(told, f"error {error.strerror}".encode())
        return 127
    _, status, usage = os.wait4(pid, 0)
    taken = perf_counter() - began
    os.write(told, f"taken {taken} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss * _BYTES}".encode())
    return abs(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.exit(main())
