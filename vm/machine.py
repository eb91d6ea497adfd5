"""The emulated machine: QEMU's own interpreter of x86, which needs no virtualisation by the processor."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from vm.errors import VmError
from vm.initramfs import initramfs
from vm.kernels import Kernel

EMULATOR = "qemu-system-x86_64"
HERE = Path(__file__).resolve().parent
PR_SET_PDEATHSIG = 1

MODULES = ("veth", "bridge", "cls_bpf", "sch_ingress", "sch_clsact", "8021q", "tun", "dummy", "bonding")
"""Loaded before the command, as far as the kernel has them."""

EXACT = ("-icount", "shift=1,sleep=on")
"""Two nanoseconds of the guest's time for each instruction, whatever else the machine does."""


@dataclass(frozen=True)
class Settings:
    """What a guest is given: memory in MiB, processors, and whether its clock counts instructions.

    `writable` names folders in which what the guest writes is kept; everywhere else it is gone in the end.
    `environment` is added to the command's. `console` is where the kernel's messages go, None for nowhere.
    """

    memory: int = 2048
    cpus: int = 2
    exact: bool = False
    writable: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    console: Path | None = None


def run(kernel: Kernel, command: str, settings: Settings, timeout: float | None = None) -> int:
    """Run a shell command in a guest with this process's folder, output and errors; its exit status.

    Raises VmError if there is no emulator or the guest ends before the command does; TimeoutExpired after
    `timeout` seconds. The guest never outlives the call.
    """
    emulator, busybox = shutil.which(EMULATOR), shutil.which("busybox")
    if emulator is None:
        raise VmError(f"{EMULATOR} is missing: install Debian's package qemu-system-x86")
    if busybox is None:
        raise VmError("busybox is missing: install Debian's package busybox-static")
    if settings.exact and settings.cpus != 1:
        raise VmError("instructions are counted exactly with one processor only")
    with TemporaryDirectory(prefix="jackfield-vm") as folder:
        control = Path(folder)
        console = settings.console or control / "console"
        (control / "initramfs").write_bytes(initramfs(kernel, Path(busybox), (HERE / "init.sh").read_text()))
        shutil.copy(HERE / "boot.sh", control / "boot")
        (control / "settings").write_text(_settings_file(kernel, settings))
        (control / "command").write_text(_command_file(command, settings.environment))
        sys.stdout.flush()
        channels = os.dup(1), os.dup(2)  # the emulator takes none of its own standard streams
        argv = [emulator, *_arguments(kernel, control, console, settings)]
        for name, descriptor in zip(("out", "err"), channels, strict=True):
            argv += _channel(name, descriptor)
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=2, pass_fds=channels, preexec_fn=_die_with_parent
            )
        finally:
            for descriptor in channels:
                os.close(descriptor)
        try:
            ended = process.wait(timeout)
        finally:
            process.kill()
            process.wait()
        status = control / "status"
        if status.exists() and (text := status.read_text().strip()):
            return int(text)
        last = console.read_text(errors="replace").strip().splitlines()[-15:] if console.exists() else []
        raise VmError(
            f"the guest with kernel {kernel.release} ended before the command did (emulator: exit {ended}); "
            "its last words:\n" + "\n".join(last)
        )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _settings_file(kernel: Kernel, settings: Settings) -> str:
    for folder in settings.writable:
        if not folder.is_dir() or " " in str(folder):
            raise VmError(
                f"{folder} cannot be written to from inside: it must be a folder without a space in its name"
            )
    shared = " ".join(str(folder.resolve()) for folder in settings.writable)
    values = {
        "VM_MODULES": str(kernel.modules),
        "VM_WRITABLE": shared,
        "VM_LOAD": " ".join(_loadable(kernel)),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _loadable(kernel: Kernel) -> list[str]:
    listed = (kernel.modules / "modules.dep").read_text()
    return [name for name in MODULES if f"/{name}.ko" in listed]


def _command_file(command: str, environment: Mapping[str, str]) -> str:
    project = HERE.parent
    given = {
        "PATH": f"{project}/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        **environment,
    }
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in given.items())
    return f"{exports}cd {shlex.quote(str(Path.cwd()))}\n{command}\n"


def _arguments(kernel: Kernel, control: Path, console: Path, settings: Settings) -> list[str]:
    shares = [_share("root", Path("/"), readonly=True), _share("control", control, readonly=False)]
    shares += [
        _share(f"share{at}", folder.resolve(), readonly=False) for at, folder in enumerate(settings.writable)
    ]
    # The guest reboots on a panic and at its end, and the emulator then stops.
    line = "console=ttyS0 quiet panic=-1 random.trust_cpu=on"
    return [
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-machine", "q35,accel=tcg", "-cpu", "max"),
        *("-smp", str(settings.cpus), "-m", str(settings.memory)),
        *("-kernel", str(kernel.image), "-initrd", str(control / "initramfs"), "-append", line),
        *("-serial", f"file:{console}"),
        *("-device", "virtio-rng-pci"),
        *("-device", "virtio-serial-pci"),
        *(word for share in shares for word in share),
        *(EXACT if settings.exact else ()),
    ]


def _channel(name: str, descriptor: int) -> list[str]:
    return [
        *("-add-fd", f"fd={descriptor},set={descriptor},opaque={name}"),
        *("-chardev", f"file,id={name},path=/dev/fdset/{descriptor},append=on"),
        *("-device", f"virtserialport,chardev={name},name={name}"),
    ]


def _share(tag: str, folder: Path, *, readonly: bool) -> list[str]:
    access = ",readonly=on" if readonly else ""
    options = f"local,path={folder},mount_tag={tag},security_model=none,multidevs=remap{access}"
    return ["-virtfs", options]
