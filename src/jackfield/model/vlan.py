"""VLAN rules of a port: what may come in, to which VLAN it belongs, where it may go out and how tagged.

Follows ovs-vswitchd.conf.db(5), table Port, "VLAN Configuration", and where that is silent the behaviour
of Open vSwitch. Inside the switch a frame has a stack of tags, outermost first; the first one names the
VLAN (none: VLAN 0), the second one the customer VLAN.
"""

from __future__ import annotations

from dataclasses import replace

from jackfield.model.config import ETH_P_8021Q, PortConfig, PriorityTags, VlanMode
from jackfield.model.frame import Tag
from jackfield.model.reasons import DropReason

Tags = tuple[Tag, ...]

TAGS_MAX = 2
_NATIVE = frozenset({VlanMode.NATIVE_TAGGED, VlanMode.NATIVE_UNTAGGED})
_NO_TAG = Tag(0, 0)


def tag_limit(vlan_limit: int) -> int:
    """How many tags of a frame are understood, for a configured `vlan-limit`."""
    return min(vlan_limit, TAGS_MAX) if vlan_limit > 0 else TAGS_MAX


def vid(stack: Tags, level: int = 0) -> int:
    """The VLAN at a level of the stack, 0 being the outermost; 0 where there is no tag."""
    return stack[level].vid if level < len(stack) else 0


def refuses(port: PortConfig, tags: Tags) -> DropReason | None:
    """Why a frame with these tags may not come in by the port, or None if it may."""
    vlan = vid(tags)
    match port.vlan_mode:
        case VlanMode.ACCESS:
            return DropReason.VLAN_TAGGED_ON_ACCESS if vlan else None
        case VlanMode.DOT1Q_TUNNEL:
            return None if _allows_customer(port, vlan) else DropReason.VLAN_CUSTOMER_REFUSED
        case _:
            native = port.vlan_mode in _NATIVE and vlan == 0
            return None if native or _carries(port, vlan) else DropReason.VLAN_NOT_TRUNKED


def input_stack(port: PortConfig, tags: Tags) -> Tags:
    """The stack, inside the switch, of an admitted frame that came in with these tags."""
    outer = tags[0] if tags else _NO_TAG
    own = Tag(outer.tpid or ETH_P_8021Q, port.tag, outer.pcp)
    match port.vlan_mode:
        case VlanMode.ACCESS:
            return (own,)
        case VlanMode.DOT1Q_TUNNEL:
            return (Tag(port.qinq_ethtype, port.tag), *tags)
        case VlanMode.NATIVE_TAGGED | VlanMode.NATIVE_UNTAGGED if outer.vid == 0:
            return (own, *tags[1:])
        case _:
            return tags


def includes(port: PortConfig, stack: Tags) -> bool:
    """Whether a frame with this stack is flooded to the port."""
    match port.vlan_mode:
        case VlanMode.ACCESS:
            return vid(stack) == port.tag and vid(stack, 1) == 0
        case VlanMode.DOT1Q_TUNNEL:
            return vid(stack) == port.tag and _allows_customer(port, vid(stack, 1))
        case _:
            return _carries(port, vid(stack))


def output_tags(port: PortConfig, stack: Tags, tags: Tags) -> Tags:
    """The tags with which a frame leaves by the port, given its stack and the tags it came in with.

    Inner tags that stay as they were keep their drop eligible indicator; all others are made anew.
    A service tag pushed upon a frame from a dot1q-tunnel port leaves all customer tags alone.
    """
    wanted = list(_output_stack(port, stack))
    if port.priority_tags is not PriorityTags.NEVER:
        outer = wanted[0] if wanted else _NO_TAG
        wanted[:1] = [replace(outer, pcp=tags[0].pcp if tags else 0)]
    if wanted and _is_kept(port, wanted[0]) and tuple(wanted[1:]) == tags:
        return (_made_anew(wanted[0]), *tags)

    made: list[Tag] = []
    for tag in wanted:
        if not _is_kept(port, tag):
            break
        made.append(_made_anew(tag))
    for level in range(1, min(len(made), len(tags)) + 1):
        if not made[-level].matches(tags[-level]):
            break
        made[-level] = tags[-level]
    return tuple(made)


def _output_stack(port: PortConfig, stack: Tags) -> Tags:
    match port.vlan_mode:
        case VlanMode.ACCESS:
            return ()
        case VlanMode.DOT1Q_TUNNEL:
            return stack[1:]
        case VlanMode.NATIVE_UNTAGGED if vid(stack) == port.tag:
            return stack[1:]
        case _:
            return stack


def _is_kept(port: PortConfig, tag: Tag) -> bool:
    """A tag that says neither VLAN nor priority is sent only by a port that always sends priority tags."""
    return bool(tag.vid or tag.pcp) or (port.priority_tags is PriorityTags.ALWAYS and tag.tpid != 0)


def _made_anew(tag: Tag) -> Tag:
    return replace(tag, tpid=tag.tpid or ETH_P_8021Q, dei=False)


def _carries(port: PortConfig, vlan: int) -> bool:
    if port.vlan_mode in _NATIVE and port.tag and vlan in (0, port.tag):
        return vlan == port.tag  # the native VLAN is always carried and takes the place of VLAN 0
    return port.trunks is None or vlan in port.trunks


def _allows_customer(port: PortConfig, vlan: int) -> bool:
    return port.cvlans is None or vlan in port.cvlans
