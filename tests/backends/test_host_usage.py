"""What a process uses of the machine, with real processes; GPUs by a library that answers as NVML does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exptrack.backends.host.gpus import is_visible
from exptrack.backends.host.usage import Usage

MIB = 1024 * 1024

# Two GPUs; the second does not tell its power. The names are those that nvidia-ml-py calls.
NVML = r"""
#include <stdio.h>
#include <string.h>
typedef struct { unsigned int gpu, memory; } util;
typedef struct { unsigned long long total, free, used; } mem;
int nvmlInitWithFlags(unsigned f) { return 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **h) { *h = (void *)(unsigned long)(i + 1); return 0; }
int nvmlDeviceGetUUID(void *h, char *u, unsigned n) { snprintf(u, n, "GPU-%lu-abc", (unsigned long)h); return 0; }
int nvmlDeviceGetUtilizationRates(void *h, util *u) { u->gpu = 40 + (unsigned long)h; u->memory = 7; return 0; }
int nvmlDeviceGetMemoryInfo(void *h, mem *m) { m->total = 80ull << 30; m->used = 3ull << 29; m->free = m->total - m->used; return 0; }
int nvmlDeviceGetPowerUsage(void *h, unsigned *p) { if ((unsigned long)h == 2) return 3; *p = 250500; return 0; }
"""


def start(code: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, start_new_session=True)


def ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline()


def end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, 9)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_children_count_and_what_has_ended_does_no_harm(tmp_path):
    code = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'sum(range(20_000_000))'])\n"  # its time is its parent's, once it has ended
        "child = subprocess.Popen([sys.executable, '-c', 'x = bytearray(100 << 20); print(1, flush=True); input()'], stdin=-1)\n"
        "child.wait()"
    )
    process = start(code)
    try:
        usage = Usage(process.pid, {}, tmp_path)
        ready(process)
        found = usage.sample()
        assert 1 < found["system/cpu"] < 150  # one after the other, and since the first of them began
        assert 0.1 < found["system/memory"] < 0.5
        assert found["system/disk/free"] > 0
        assert found["system/memory_free"] > 0
        time.sleep(0.2)
        assert usage.sample()["system/cpu"] < 50
    finally:
        end(process)
    assert usage.sample().keys().isdisjoint({"system/cpu", "system/memory"})


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not tell what a process reads and writes")
def test_what_is_written_is_counted_since_the_last_look(tmp_path):
    code = f"import os\nwith open({str(tmp_path / 'x')!r}, 'wb') as f: f.write(bytes(8 << 20)); f.flush(); os.fsync(f.fileno())\nprint(1, flush=True); input()"
    process = start(code)
    try:
        usage = Usage(process.pid, {}, tmp_path)
        ready(process)
        first = usage.sample()
        time.sleep(0.5)
        second = usage.sample()
        assert (
            first["system/disk/written"] > 0 or os.statvfs(tmp_path).f_fsid == 0
        )  # a file system in memory has no disk
        assert second["system/disk/written"] < 1, "a page of Python's own, but not the 8 MiB once more"
    finally:
        end(process)


def test_we_ourselves_are_not_counted(tmp_path):
    """A script has its keeper as a child, and what that starts."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom exptrack.backends.host.usage import Usage\n"
        "if (keeper := os.fork()) == 0:\n"
        "    x = bytearray(300 << 20)\n"
        "    print(Usage(os.getppid(), {}, Path('.')).sample()['system/memory'], flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(keeper, 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 0.25


def test_without_a_driver_there_are_no_gpus(tmp_path):
    if shutil.which("nvidia-smi"):
        pytest.skip("there is a driver")
    found = Usage(os.getppid(), {}, tmp_path).sample()
    assert not [name for name in found if "gpu" in name]


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="a library is compiled for it")
def test_gpus_are_asked_through_nvml(tmp_path):
    (tmp_path / "nvml.c").write_text(NVML)
    library = ["cc", "-shared", "-fPIC", "-o", "libnvidia-ml.so.1", "nvml.c"]
    subprocess.run(library, cwd=tmp_path, check=True, capture_output=True)
    code = "import sys\nfrom exptrack.backends.host.gpus import Gpus\nprint(Gpus({'CUDA_VISIBLE_DEVICES': sys.argv[1]} if sys.argv[1] else {}).sample())"

    def sample(visible: str) -> str:
        environ = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
        words = [sys.executable, "-c", code, visible]
        done = subprocess.run(
            words, env=environ, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
        )
        return done.stdout.strip()

    second = "'system/gpu1/utilization': 42, 'system/gpu1/memory': 1.5"
    assert (
        sample("")
        == "{'system/gpu0/utilization': 41, 'system/gpu0/memory': 1.5, 'system/gpu0/power': 250.5, " + second + "}"
    )
    assert sample("1") == "{" + second + "}"
    assert sample("GPU-2") == "{" + second + "}"


@pytest.mark.parametrize(
    ("visible", "numbers"),
    [(None, [0, 1]), ("", []), ("1", [1]), ("1, 0", [0, 1]), ("0,-1,1", [0]), ("GPU-b", [1]), ("MIG-x,0", [0]), ("-1", [])],
)  # fmt: skip
def test_gpus_that_a_run_may_not_use_are_left_out(visible, numbers):
    assert [number for number, uuid in enumerate(("GPU-aa", "GPU-bb")) if is_visible(visible, number, uuid)] == numbers
