"""What is used of NVIDIA's GPUs, by NVML: the extra `gpu` brings its Python package, the driver its library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

_GIB = 1024.0**3


class Gpus:
    """The GPUs that a process with this environment may use; none where the package or the driver is not there."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._visible = environ.get("CUDA_VISIBLE_DEVICES")
        self._handles: dict[int, Any] | None = None

    def sample(self) -> dict[str, float]:
        """Utilization (percent), memory in use (GiB) and power (watts) by name; GPUs are numbered as `nvidia-smi` numbers them."""
        if self._handles is None:
            self._handles = self._open()
        return {
            name: value for number, handle in self._handles.items() for name, value in _look(number, handle).items()
        }

    def _open(self) -> dict[int, Any]:
        try:
            import pynvml
        except ImportError:
            return {}
        handles = {}
        with suppress(pynvml.NVMLError):
            pynvml.nvmlInit()
            for number in range(pynvml.nvmlDeviceGetCount()):
                # One of them may have fallen off the bus.
                with suppress(pynvml.NVMLError):
                    handle = pynvml.nvmlDeviceGetHandleByIndex(number)
                    if is_visible(self._visible, number, pynvml.nvmlDeviceGetUUID(handle)):
                        handles[number] = handle
        return handles


def is_visible(visible: str | None, number: int, uuid: str) -> bool:
    """Whether `CUDA_VISIBLE_DEVICES` lets a process use this GPU: it has numbers, or beginnings of UUIDs, up to the first that is neither."""
    if visible is None:
        return True
    for word in map(str.strip, visible.split(",")):
        if word == str(number) or (word.startswith("GPU-") and uuid.startswith(word)):
            return True
        if not word.isdecimal() and not word.startswith(("GPU-", "MIG-")):
            return False
    return False


def _look(number: int, handle: Any) -> dict[str, float]:
    import pynvml

    looks: dict[str, Callable[[], float]] = {
        "utilization": lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu,
        "memory": lambda: pynvml.nvmlDeviceGetMemoryInfo(handle).used / _GIB,
        "power": lambda: pynvml.nvmlDeviceGetPowerUsage(handle) / 1000,
    }
    found = {}
    for what, look in looks.items():
        # Not each GPU tells each of these.
        with suppress(pynvml.NVMLError):
            found[f"system/gpu{number}/{what}"] = look()
    return found
