"""CPU, cores, memory and GPUs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from exptrack.backends.host.cache import Slot, recall, remember, remember_failure, stamps
from exptrack.backends.host.child import output
from exptrack.backends.host.lookup import which
from exptrack.model.environment import Gpu, Hardware

_DAY = 24 * 60 * 60
_MIB = 1024 * 1024
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_QUERY = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits")

# Two jobs on one machine may be given different GPUs.
_GPU_VARIABLES = (
    "NVIDIA_VISIBLE_DEVICES", "SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_STEP_GPUS", "PBS_JOBID", "LSB_JOBID", "JOB_ID",
)  # fmt: skip


def capture_hardware(environ: Mapping[str, str], cache: Path) -> Hardware:
    """What this machine offers to this process; what cannot be found out is None."""
    return Hardware(cpu=_cpu(environ, cache), cores=_cores(), memory=_memory(), gpus=_gpus(environ, cache))


def parse_cpuinfo(text: str) -> str | None:
    """The CPU's model from the beginning of `/proc/cpuinfo`; ARM names only numbers there."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        values.setdefault(key.strip(), value.strip())
    for key in ("model name", "cpu model", "cpu", "Processor", "Hardware"):
        if values.get(key):
            return values[key]
    if "CPU part" in values:
        return f"implementer {values.get('CPU implementer', 'unknown')}, part {values['CPU part']}"
    return None


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """One GPU a line, as `nvidia-smi` prints `name, memory in MiB, driver`; what it does not know it puts in brackets."""
    gpus = []
    for line in text.splitlines():
        name, *rest = (part.strip() for part in line.rsplit(",", 2))
        if name and len(rest) == 2:
            memory = int(rest[0]) * _MIB if rest[0].isdecimal() else None
            gpus.append(Gpu(name, memory, None if rest[1].startswith("[") else rest[1] or None))
    return tuple(gpus)


def _cpu(environ: Mapping[str, str], cache: Path) -> str | None:
    if os.uname().sysname == "Darwin":
        return (
            _ask(("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"), environ=environ, cache=cache, state={}).strip()
            or None
        )
    try:
        # The kernel makes the text while it is read, processor by processor: the first is enough.
        with Path("/proc/cpuinfo").open("rb", buffering=0) as file:
            return parse_cpuinfo(file.read(4096).decode(errors="replace"))
    except OSError:
        return None


def _cores() -> int | None:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return len(affinity(0)) if affinity else os.cpu_count()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def _gpus(environ: Mapping[str, str], cache: Path) -> tuple[Gpu, ...]:
    tool = which("nvidia-smi", Path("/"), environ)
    if tool is None:
        return ()
    given = {name: environ[name] for name in _GPU_VARIABLES if name in environ}
    return parse_gpus(_ask((str(tool), *_QUERY), environ=environ, cache=cache, state=given))


def _ask(argv: tuple[str, ...], *, environ: Mapping[str, str], cache: Path, state: Mapping[str, str]) -> str:
    """A tool's answer, kept until the next boot, or for a day where boots have no id; empty if it has none."""
    boot = _boot_id()
    slot = Slot(cache, Path(argv[0]).name, [*argv, os.uname().nodename], [boot, state])
    known: str | None = recall(slot)
    if known is not None:
        return known
    watch, began = stamps([argv[0]]), time.monotonic()
    answer = output(argv, environ=environ)
    if answer is None:
        remember_failure(slot, "", watch=watch, began=began)
        return ""
    remember(slot, answer, watch=watch, seconds=None if boot else _DAY)
    return answer


def _boot_id() -> str | None:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None
