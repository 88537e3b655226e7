"""CPU, memory, GPUs and the operating system."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from exptrack.backends.host.hardware import capture_hardware, parse_cpuinfo, parse_gpus
from exptrack.backends.host.system import capture_platform, parse_macos_version, parse_os_release
from exptrack.model.environment import Gpu, Hardware

GIB = 1024**3
A100 = "NVIDIA A100-SXM4-80GB, 81920, 535.104.05\n"
Look = Callable[..., Hardware]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    def call(**environ: str) -> Hardware:
        return capture_hardware({"PATH": f"{tmp_path}/bin:/usr/bin:/bin", **environ}, tmp_path / "cache")

    return call


@pytest.fixture
def driver(tmp_path: Path) -> Callable[[str], None]:
    """Install an `nvidia-smi` that notes each call and then does what `text` says."""

    def write(text: str) -> None:
        tool = tmp_path / "bin" / "nvidia-smi"
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{text}\n')
        tool.chmod(0o755)
        os.utime(tool, (tool.stat().st_mtime - 3600,) * 2)

    return write


def calls(tmp_path: Path) -> int:
    return len((tmp_path / "calls").read_text().splitlines())


def test_gpus_are_those_that_the_driver_names(look: Look, driver: Callable[[str], None], tmp_path: Path) -> None:
    driver(f"printf '{A100}{A100}'")
    gpu = Gpu("NVIDIA A100-SXM4-80GB", 80 * GIB, "535.104.05")
    assert look().gpus == (gpu, gpu)
    assert look().gpus == (gpu, gpu)
    assert (
        tmp_path / "calls"
    ).read_text() == "--query-gpu=name,memory.total,driver_version --format=csv,noheader,nounits\n"


def test_another_job_may_be_given_other_gpus(look: Look, driver: Callable[[str], None], tmp_path: Path) -> None:
    driver(f"[ $SLURM_JOB_ID = 1 ] && printf '{A100}' || printf '{A100}{A100}'")
    assert len(look(SLURM_JOB_ID="1").gpus) == 1
    assert len(look(SLURM_JOB_ID="2").gpus) == 2
    assert len(list((tmp_path / "cache").glob("nvidia-smi-*"))) == 1


def test_a_new_driver_is_asked_again(look: Look, driver: Callable[[str], None]) -> None:
    driver(f"printf '{A100}'")
    look()
    driver("printf 'NVIDIA L4, 23034, 550.54'")
    assert look().gpus == (Gpu("NVIDIA L4", 23034 * 1024**2, "550.54"),)


@pytest.mark.parametrize("text", ["exit 9", "echo 'No devices were found'; exit 6", "echo nonsense", "kill -9 $$"])
def test_a_driver_that_fails_gives_no_gpus(look: Look, driver: Callable[[str], None], text: str) -> None:
    driver(text)
    assert look().gpus == ()
    driver(f"printf '{A100}'")
    assert len(look().gpus) == 1


def test_a_driver_that_took_long_to_fail_is_not_waited_for_twice(
    look: Look, driver: Callable[[str], None], tmp_path: Path
) -> None:
    driver("sleep 1.2; exit 1")
    assert look().gpus == look().gpus == ()
    assert calls(tmp_path) == 1


def test_without_a_driver_there_are_no_gpus(tmp_path: Path) -> None:
    assert capture_hardware({"PATH": str(tmp_path)}, tmp_path / "cache").gpus == ()
    assert not list(tmp_path.glob("cache/nvidia-smi-*"))


def test_what_the_driver_does_not_know_is_left_out() -> None:
    assert parse_gpus("NVIDIA GB10, [N/A], 580.95\nOrin (nvgpu), [Not Supported], [N/A]\n") == (
        Gpu("NVIDIA GB10", None, "580.95"),
        Gpu("Orin (nvgpu)", None, None),
    )
    assert parse_gpus("A, B, 1024, 5\n\n , 1, 2\n") == (Gpu("A, B", GIB, "5"),)


def test_this_machine_has_a_cpu_cores_and_memory(look: Look) -> None:
    hardware = look()
    assert hardware.cores is not None
    assert 1 <= hardware.cores <= (os.cpu_count() or 1)
    assert hardware.memory is not None
    assert hardware.memory > GIB // 4
    assert hardware.cpu


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7742\n\nprocessor\t: 1\nmodel name\t: other\n",
            "AMD EPYC 7742",
        ),
        ("processor : 0\nCPU implementer : 0x41\nCPU part : 0xd40\n", "implementer 0x41, part 0xd40"),
        ("processor : 0\ncpu : POWER9, altivec supported\n", "POWER9, altivec supported"),
        ("", None),
    ],
)
def test_the_cpu_is_read_from_what_the_kernel_says(text: str, expected: str | None) -> None:
    assert parse_cpuinfo(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', "Debian GNU/Linux 12 (bookworm)"),
        ("# comment = x\nID=arch\nNAME='Arch Linux'\n", "Arch Linux"),
        ("ID=alpine\n", "alpine"),
        ("nothing\n", None),
    ],
)
def test_the_distribution_is_named_as_people_do(text: str, expected: str | None) -> None:
    assert parse_os_release(text) == expected


def test_the_version_of_macos_is_read_from_its_list() -> None:
    text = "<dict><key>ProductName</key>\n<string>macOS</string>\n<key>ProductVersion</key><string>14.5</string></dict>"
    assert parse_macos_version(text) == "macOS 14.5"
    assert parse_macos_version("<plist/>") is None


def test_the_platform_is_that_of_the_kernel() -> None:
    platform, kernel = capture_platform(), os.uname()
    assert (platform.system, platform.release, platform.machine) == (kernel.sysname, kernel.release, kernel.machine)
    if kernel.sysname == "Darwin":
        assert str(platform.distribution).startswith("macOS")
