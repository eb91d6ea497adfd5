"""What the switch does with frames, one sentence and one small experiment each.

Ports are p1, p2, …; stations are letters; frames are untagged or tagged(VLAN), from whom to whom.
"""

from __future__ import annotations

from tests.scenarios.bindings import BINDINGS
from tests.scenarios.bonds import BONDS
from tests.scenarios.learning import AGEING, FULL_TABLE, LEARNING, STATIC
from tests.scenarios.limits import ADMISSION, COUNTERS, MALFORMED, MTU
from tests.scenarios.loops import BPDU_GUARD, DAMPING, DISABLED, PROBES
from tests.scenarios.patches import PATCHES
from tests.scenarios.protections import MAC_LIMIT, PORT_SECURITY, STORMS
from tests.scenarios.tunnels import TUNNEL, VLAN_LIMIT
from tests.scenarios.vlans import ACCESS, NATIVE, PRIORITY_TAGS, TRUNK

SCENARIOS = (
    *LEARNING,
    *AGEING,
    *STATIC,
    *FULL_TABLE,
    *ACCESS,
    *TRUNK,
    *NATIVE,
    *PRIORITY_TAGS,
    *TUNNEL,
    *VLAN_LIMIT,
    *ADMISSION,
    *MTU,
    *PATCHES,
    *BONDS,
    *DISABLED,
    *PROBES,
    *BPDU_GUARD,
    *DAMPING,
    *BINDINGS,
    *STORMS,
    *MAC_LIMIT,
    *PORT_SECURITY,
    *MALFORMED,
    *COUNTERS,
)
