"""The executable specification of the switch: pure functions of configuration, state, frame and time."""

from jackfield.model.bond import BondState, Lacp
from jackfield.model.config import (
    ETH_P_8021AD,
    ETH_P_8021Q,
    VLAN_MAX,
    BondConfig,
    BondMode,
    BridgeConfig,
    PortConfig,
    PriorityTags,
    SwitchConfig,
    VlanMode,
)
from jackfield.model.fdb import Address, Entry, Fdb, FdbCounters, table_invariants
from jackfield.model.frame import Frame, Tag, parse
from jackfield.model.protection import GuardConfig, MacLimitAction, PortSecurity
from jackfield.model.reasons import DropReason
from jackfield.model.switch import Drop, Output, PortCounters, Result, State, Visit, step, sweep

__all__ = [
    "ETH_P_8021AD",
    "ETH_P_8021Q",
    "VLAN_MAX",
    "Address",
    "BondConfig",
    "BondMode",
    "BondState",
    "BridgeConfig",
    "Drop",
    "DropReason",
    "Entry",
    "Fdb",
    "FdbCounters",
    "Frame",
    "GuardConfig",
    "Lacp",
    "MacLimitAction",
    "Output",
    "PortConfig",
    "PortCounters",
    "PortSecurity",
    "PriorityTags",
    "Result",
    "State",
    "SwitchConfig",
    "Tag",
    "Visit",
    "VlanMode",
    "parse",
    "step",
    "sweep",
    "table_invariants",
]
