"""`adopt`: the host's cards onto a bridge, what they have of layer 3 onto an internal port of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from socket import AF_INET

from jackfield.adopt.announce import announce
from jackfield.adopt.checks import check_card, check_routes, filters_passed_by, session_by
from jackfield.adopt.decide import STEP_SECONDS, Outcome, Say, confirmed, guarded, verify, watched_addresses
from jackfield.adopt.guard import Guard, finish
from jackfield.adopt.host import Host, Layer3
from jackfield.adopt.managers import managers
from jackfield.adopt.move import add_last_routes, prepare, strip
from jackfield.adopt.record import Record, find
from jackfield.adopt.wiring import CARD, HOST_PORT, MADE, OLD_MAC, TABLES, Wiring
from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.net.addresses import FOREVER
from jackfield.net.errors import NetworkError
from jackfield.net.link import is_device_name


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks for. `port` empty: the bridge's own port. `tag`: the VLAN of what is untagged on the
    wire. `checks`: addresses that must answer, None: nobody has to. `seconds`: for answers, and for a yes."""

    nics: tuple[str, ...]
    bridge: str = "br0"
    port: str = ""
    checks: tuple[str, ...] | None = ()
    seconds: float = 30.0
    tag: int | None = None
    keep_mac: bool = True
    bond: str = ""
    bond_mode: str = ""
    lacp: str = ""


def adopt(wish: Wish, confirm: Callable[[float], bool] | None = None, say: Say = lambda _: None) -> Outcome:
    """Move cards onto a bridge. `confirm` asks the user, within so many seconds, whether it shall stay.

    Raises Failure; then everything is as it was, or the sentence says what is not.
    """
    for nic in wish.nics:
        if finish(find(nic)) is not None:
            say(f"{nic}: an adoption that was cut short has been put back first")
    try:
        with Host() as host, Database.open(TABLES) as database:
            wiring = Wiring(database)
            state, notes = _checked(host, wiring, wish, confirm is not None)
            return _Takeover(host, wiring, wish, state, say).run(confirm, notes)
    except NetworkError as error:
        raise Failure(f"{wish.nics[0]}: {error}") from error


def _checked(host: Host, wiring: Wiring, wish: Wish, confirmed: bool) -> tuple[Layer3, list[str]]:
    """The layer 3 that is to be moved, and what to tell the user. Raises Failure when it must not be."""
    links = [check_card(host, nic) for nic in wish.nics]
    for nic in wish.nics:
        bridge = wiring.bridge_of(nic)
        if bridge is not None:
            raise Failure(f"{nic}: it is on bridge {bridge} already")
    if not wish.bond and (wish.bond_mode or wish.lacp):
        raise Failure("--bond-mode and --lacp are about a bond: name it with --bond")
    if len(wish.nics) > 1 and not wish.bond:
        raise Failure("several cards with one set of addresses are a bond: name it with --bond")
    states = [host.layer3(nic) for nic in wish.nics]
    holders = [each for each in states if any(not address.link_local for address in each.addresses)]
    if len(holders) > 1:
        raise Failure(
            f"{' and '.join(each.device for each in holders)} have addresses each; as members of one bond "
            "they would share one port: remove those of all but one"
        )
    state = holders[0] if holders else states[0]
    check_routes(state)
    _check_names(host, wiring, wish)
    session_by(state, confirmed)
    notes = [*managers(links, wish.port or wish.bridge), *filters_passed_by(host, links)]
    leased = [each for each in state.addresses if each.family == AF_INET and each.valid_seconds != FOREVER]
    if leased and not notes:
        notes.append(
            f"{leased[0]} of {state.device} runs out: if a DHCP client renews it, have one run for "
            f"{wish.port or wish.bridge} instead"
        )
    return state, notes


def _check_names(host: Host, wiring: Wiring, wish: Wish) -> None:
    port = wish.port or wish.bridge
    there = wiring.bridge(wish.bridge)
    for name in (wish.bridge, wish.port, wish.bond):
        if name and not is_device_name(name):
            raise Failure(
                f'"{name}" cannot be the name of a device (15 characters at most, no blanks, / or :)'
            )
    for name in (wish.port, wish.bond):
        if name and wiring.bridge_of(name):
            raise Failure(f"{name}: bridge {wiring.bridge_of(name)} has a port of that name already")
    for name in {wish.port, *([] if there else [wish.bridge])} - {""}:
        if host.devices.get_link(name) is not None:
            raise Failure(f"{name}: a network device of that name is there already; choose another name")
    if there and port == wish.bridge:
        taken = host.layer3(port).addresses
        if any(not address.link_local for address in taken):
            raise Failure(
                f"{port}: the bridge's own port has {taken[0]} already; name a port to be made with --port"
            )
        if wish.tag not in (None, wiring.tag_of(port)):
            raise Failure(
                f"{port}: the bridge's own port is not in VLAN {wish.tag}; name a port to be made with --port"
            )


class _Takeover:
    """One run, its checks passed."""

    def __init__(self, host: Host, wiring: Wiring, wish: Wish, state: Layer3, say: Say) -> None:
        self._host, self._wiring, self._wish, self._state, self._say = host, wiring, wish, state, say
        self._port = wish.port or wish.bridge
        self._ifindex = host.link(state.device).ifindex
        self._record = self._recorded()

    def _recorded(self) -> Record:
        wish = self._wish
        bridge = self._wiring.bridge(wish.bridge)
        made = [] if bridge else ["bridge"]
        hwaddr = None
        if self._port != wish.bridge:
            made.append(f"port:{self._port}")
        elif bridge and wish.keep_mac:
            hwaddr = str(bridge[1]["other_config"].get("hwaddr", ""))
        return Record(
            subject=wish.nics[0],
            nics=wish.nics,
            holder=self._state.device,
            holder_ifindex=self._ifindex,
            state=self._state,
            bridge=wish.bridge,
            port=self._port,
            ports=(wish.bond or wish.nics[0],),
            made=tuple(made),
            hwaddr=hwaddr,
        )

    def run(self, confirm: Callable[[float], bool] | None, notes: list[str]) -> Outcome:
        wish, state = self._wish, self._state
        watched = watched_addresses(self._host, state, wish.checks, notes)
        with guarded(self._record, wish.seconds * (2 if confirm else 1)):
            self._make_port()
            prepare(self._host, replace(state, up=True), self._port, self._ifindex)
            self._connect()
            add_last_routes(self._host, state, self._port, self._ifindex)
            for nic in wish.nics:
                strip(self._host, nic)
            if not wish.keep_mac:
                announce(self._host.link(self._port), state.addresses)
            self._say(f"{', '.join(wish.nics)} on bridge {wish.bridge}, addresses on {self._port}")
            verify(self._host, self._port, watched, wish.seconds, self._say)
            confirmed(confirm, wish.seconds)
        return Outcome(
            wish.bridge,
            self._port,
            wish.nics,
            tuple(str(address) for address in state.addresses),
            watched,
            tuple(notes),
        )

    def _make_port(self) -> None:
        """The bridge and the internal port, with all that a bridge's port has to have from the start."""
        wish, state, wiring = self._wish, self._state, self._wiring
        mac = state.mac if wish.keep_mac else ""
        own = self._port == wish.bridge
        if "bridge" in self._record.made:
            wiring.make_bridge(wish.bridge, {"other_config": {"hwaddr": mac} if own and mac else {}})
        elif own and mac:
            wiring.set_mac(wish.bridge, mac)
        tag: dict[str, int] = {} if wish.tag is None else {"tag": wish.tag}
        mtu: dict[str, int] = {} if state.mtu == 1500 else {"mtu_request": state.mtu}
        if not own:
            wiring.make_port(
                wish.bridge, self._port, tag, {"type": "internal", **({"mac": mac} if mac else {}), **mtu}
            )
        elif "bridge" in self._record.made:
            if tag:
                wiring.set_port(self._port, tag)
            if mtu:
                wiring.set_interface(self._port, mtu)
        wiring.require([self._port])

    def _connect(self) -> None:
        wish = self._wish
        notes = {HOST_PORT: self._port, CARD: self._state.device, MADE: " ".join(self._record.made)}
        if self._record.hwaddr is not None:
            notes[OLD_MAC] = self._record.hwaddr
        columns: dict[str, object] = {"external_ids": notes}
        if wish.tag is not None:
            columns |= {"tag": wish.tag, "vlan_mode": "native-untagged"}
        if wish.bond:
            columns |= {"bond_mode": wish.bond_mode} if wish.bond_mode else {}
            columns |= {"lacp": wish.lacp} if wish.lacp else {}
        self._wiring.connect(wish.bridge, {self._record.ports[0]: (wish.nics, columns)})  # type: ignore[dict-item]


def release(nic: str, say: Say = lambda _: None) -> Outcome:
    """Take a card that was adopted off its bridge, and give it what the internal port has now.

    Raises Failure; a second call goes on where a first one was stopped.
    """
    found = finish(find(nic))
    if found is not None:
        say(f"{nic}: a move that was cut short has been finished")
        return _outcome(found)
    try:
        with Host() as host, Database.open(TABLES) as database:
            wiring = Wiring(database)
            adoption = wiring.adoption(nic)
            if adoption is None:
                on = wiring.bridge_of(nic)
                what = f"it is on bridge {on}, but was not adopted" if on else "it is on no bridge"
                raise Failure(f"{nic}: {what}, so there is nothing to release")
            if host.devices.get_link(adoption.card) is None:
                raise Failure(
                    f"{nic}: there is no network device {adoption.card} to give the addresses back to; if it "
                    "has another name now, give it that one again"
                )
            holder = host.link(adoption.card)
            state = host.layer3(adoption.port)
            kept = tuple(rule for rule in state.rules if adoption.port in rule.devices)
            record = Record(
                subject=holder.name,
                nics=adoption.nics,
                holder=holder.name,
                holder_ifindex=host.link(adoption.port).ifindex,
                state=replace(state, rules=kept),
                bridge=adoption.bridge,
                port=adoption.port,
                ports=(adoption.nic_port,),
                made=adoption.made,
                hwaddr=adoption.hwaddr,
            )
    except NetworkError as error:
        raise Failure(f"{nic}: {error}") from error
    # The guard does it: killed in the middle, this command leaves it to be done to the end.
    Guard(record, STEP_SECONDS).undo()
    say(f"{', '.join(record.nics)} off bridge {record.bridge}, addresses on {record.holder}")
    return _outcome(record)


def _outcome(record: Record) -> Outcome:
    addresses = tuple(str(address) for address in record.state.addresses)
    return Outcome(record.bridge, record.port, record.nics, addresses)
