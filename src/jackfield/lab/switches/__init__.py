"""The switches that an experiment runs on: Jackfield, and what it is compared with."""

from __future__ import annotations

from jackfield.lab.switches.base import Learned, Switch
from jackfield.lab.switches.jackfield import Jackfield
from jackfield.lab.switches.linux import LinuxBridge
from jackfield.lab.switches.ovs import OvsKernel, OvsUserSpace

SWITCHES: dict[str, type[Switch]] = {
    switch.kind: switch for switch in (Jackfield, LinuxBridge, OvsUserSpace, OvsKernel)
}

__all__ = ["SWITCHES", "Jackfield", "Learned", "LinuxBridge", "OvsKernel", "OvsUserSpace", "Switch"]
