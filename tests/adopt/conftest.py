"""A switch for each file of tests, and a host with a card for each test."""

from __future__ import annotations

import pytest

from tests.adopt.world import World
from tests.e2e.conftest import nothing_is_left, shared_switch, switch
from tests.e2e.switch import Switch

__all__ = ["nothing_is_left", "shared_switch", "switch"]


@pytest.fixture
def world(switch: Switch) -> World:
    return World(switch.lab, switch.daemon, switch.host)
