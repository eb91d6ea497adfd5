"""One recording program for all tests of a process: loading it takes longer than most of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jackfield.datapath.store import Datapath
from tests.program.devices import Devices
from tests.program.recorder import Recorder


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    devices = Devices()
    datapath = Datapath.open("jfttest", record=True)
    try:
        yield Recorder(datapath, devices)
    finally:
        datapath.close()
        devices.close()
