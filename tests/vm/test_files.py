"""What an emulated machine is started with: a kernel from the cache, and the first files it sees."""

from __future__ import annotations

import lzma
import subprocess
from pathlib import Path

import pytest

from vm.errors import VmError
from vm.initramfs import archive, modules
from vm.kernels import Kernel, kernel


def a_kernel(folder: Path, release: str) -> None:
    (folder / "boot").mkdir(parents=True)
    (folder / "boot" / f"vmlinuz-{release}").touch()
    (folder / "lib" / "modules" / release).mkdir(parents=True)


def test_a_kernel_in_the_cache_is_taken_without_asking_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "jackfield" / "vm" / "9.9"
    a_kernel(folder, "9.9.1-amd64")
    expected = Kernel("9.9.1-amd64", folder / "boot/vmlinuz-9.9.1-amd64", folder / "lib/modules/9.9.1-amd64")
    assert kernel("9.9") == expected


def test_what_is_no_series_is_refused_with_an_example() -> None:
    with pytest.raises(VmError, match=r"give two numbers, such as 6\.12"):
        kernel("6.12.3")


def test_modules_come_after_those_that_they_need_and_built_in_ones_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "modules.dep").write_text(
        "fs/9p.ko.xz: net/9pnet.ko.xz lib/netfs.ko.xz\nnet/9pnet.ko.xz:\nlib/netfs.ko.xz:\n"
        "net/9pnet-virtio.ko.xz: net/9pnet.ko.xz\n"
    )
    (tmp_path / "modules.builtin").write_text("drivers/virtio_pci.ko\n")
    found = modules(tmp_path, ("virtio_pci", "9pnet_virtio", "9p"))
    names = [str(path.relative_to(tmp_path)) for path in found]
    assert names == ["net/9pnet.ko.xz", "net/9pnet-virtio.ko.xz", "lib/netfs.ko.xz", "fs/9p.ko.xz"]
    with pytest.raises(VmError, match="no module overlay"):
        modules(tmp_path, ("overlay",))


def test_the_archive_is_one_that_cpio_reads(tmp_path: Path) -> None:
    content = lzma.compress(b"x" * 1001)
    packed = archive([("bin", 0o040755, b""), ("bin/tool", 0o100755, content), ("empty", 0o100644, b"")])
    subprocess.run(
        ["busybox", "cpio", "-idm", "--quiet"], input=packed, cwd=tmp_path, check=True, capture_output=True
    )
    assert (tmp_path / "bin" / "tool").read_bytes() == content
    assert (tmp_path / "bin" / "tool").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "empty").read_bytes() == b""
