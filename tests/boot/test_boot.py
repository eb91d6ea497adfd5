"""Hosts boot with the switch as a service, and get their addresses by each program that configures them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.boot.host import boot, make_database
from tests.boot.prepare import MANAGERS
from tests.patience import PATIENCE

BOOT_SECONDS = 600.0 * PATIENCE


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("database") / "conf.db"
    make_database(file)
    return file


@pytest.mark.timeout(BOOT_SECONDS + 60)
@pytest.mark.parametrize("manager", MANAGERS)
def test_internal_ports_have_their_addresses_when_the_network_of_a_booted_host_is_online(
    manager: str, database: Path, tmp_path: Path
) -> None:
    shutil.copy(database, tmp_path / "conf.db")
    booted = boot(manager, tmp_path, BOOT_SECONDS)
    assert booted.status == 0, booted.report
    assert " passed" in booted.report
