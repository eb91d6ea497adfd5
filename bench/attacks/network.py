"""Attacks by frames: on the learning table, by a loop, by what is no frame, and when the daemons die."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator

from bench.attacks.outcome import Outcome
from bench.attacks.stations import BROADCAST, Station, frame, mac, plugged_in
from bench.attacks.subjects import HOST, TABLE_SIZE, Subject, cable
from bench.netns import run

VICTIM, PEER, NEW = mac(1, 1), mac(2, 1), mac(3, 1)
FLOOD = 100 * TABLE_SIZE
FLOOD_RATE = 20_000
SENT = 20
STREAM_RATE, STREAM_SECONDS = 500, 6.0
LOOP_SECONDS = 3.0
STORM = 20_000
THIEF, THEIR_IP = mac(4, 1), bytes((10, 0, 0, 1))
BROKEN = 2000


def _acquaint(victim: Station, peer: Station) -> None:
    """Both are known to the switch, and hear nothing of before."""
    for _ in range(3):
        victim.send(frame(VICTIM, PEER))
        peer.send(frame(PEER, VICTIM))
    victim.heard()
    peer.heard()


def _conversation(
    sender: Station, receiver: Station, other: Station, to: bytes, by: bytes
) -> tuple[int, int]:
    """How many of SENT frames arrive, and how many come to somebody else as well."""
    receiver.forget()
    other.forget()
    for number in range(SENT):
        sender.send(frame(by, to, b"talk%d" % number))
    arrived = sum(each[14:18] == b"talk" for each in receiver.heard())
    return arrived, sum(each[14:18] == b"talk" for each in other.heard(0.2))


def flood_of_addresses(subject: Subject) -> Outcome:
    """One port sends from 100 times as many addresses as the table holds."""
    with plugged_in() as (victim, peer, attacker):
        _acquaint(victim, peer)
        attacker.pour((frame(mac(9, number), VICTIM) for number in range(FLOOD)), FLOOD_RATE)
        victim.heard(0.5)
        attacker.forget()
        held = subject.entries()
        arrived, leaked = _conversation(peer, victim, attacker, VICTIM, PEER)
        peer.send(frame(NEW, VICTIM))
        victim.heard(0.5)
        new_arrived, new_leaked = _conversation(victim, peer, attacker, NEW, VICTIM)
    return Outcome(
        f"of {SENT} frames between known stations {arrived} arrive, {leaked} reach the attacker too; "
        f"to a new station {new_arrived} and {new_leaked}; the table holds {held} addresses",
        {
            "sent": SENT,
            "arrived": arrived,
            "leaked": leaked,
            "new_arrived": new_arrived,
            "new_leaked": new_leaked,
            "entries": held,
        },
    )


def theft_of_an_address(subject: Subject) -> Outcome:
    """A station sends from another's address, while that one is silent."""
    told = subject.protect("p1", "port-security=sticky")
    with plugged_in() as (victim, peer, thief):
        _acquaint(victim, peer)
        thief.send(*[frame(VICTIM, PEER, b"I am it")] * 3)
        peer.heard(0.5)
        arrived, stolen = _conversation(peer, victim, thief, VICTIM, PEER)
    return Outcome(
        f"{told}of {SENT} frames for that address {arrived} reach its owner, {stolen} the thief",
        {"sent": SENT, "arrived": arrived, "stolen": stolen},
    )


def false_arp(subject: Subject) -> Outcome:
    """A station says by ARP that another's IP address is its own."""
    told = subject.protect("p3", "allowed-addresses=10.0.0.3")
    claim = b"\x08\x06\0\x01\x08\0\x06\x04\0\x02" + THIEF + THEIR_IP + PEER + bytes(4)
    with plugged_in() as (victim, peer, thief):
        _acquaint(victim, peer)
        peer.forget()
        thief.send(*[(PEER + THIEF + claim).ljust(60, b"\0")] * SENT)
        believed = sum(each[12:14] == b"\x08\x06" for each in peer.everything())
    return Outcome(f"{told}{believed} of {SENT} false answers arrive", {"sent": SENT, "believed": believed})


def storm_of_broadcasts(subject: Subject) -> Outcome:
    """A station sends 20,000 broadcasts as fast as it can."""
    told = subject.protect("p3", "storm-broadcast=100")
    with plugged_in() as (victim, peer, attacker):
        _acquaint(victim, peer)
        victim.forget()
        attacker.pour((frame(mac(9, 1), BROADCAST, b"%06d" % number) for number in range(STORM)), STORM)
        copies = sum(each[6:12] == mac(9, 1) for each in victim.heard())
        arrived, _leaked = _conversation(peer, victim, attacker, VICTIM, PEER)
    return Outcome(
        f"{told}{copies:,} of them reach each station; afterwards {arrived} of {SENT} other frames arrive",
        {"copies": copies, "sent": STORM, "arrived": arrived},
    )


def loop_by_a_cable(subject: Subject) -> Outcome:
    """Two ports are joined by a cable, and one station sends a single broadcast."""
    with plugged_in() as (victim, _peer, _attacker):
        cable("p8", HOST, "p9")
        try:
            for end in ("p8", "p9"):
                subject.add_port(end)
            victim.forget()
            before = _carried()
            victim.send(frame(VICTIM, BROADCAST, b"once"))
            time.sleep(1)
            rounds = _carried() - before
            time.sleep(LOOP_SECONDS)
            before = _carried()
            time.sleep(1)
            later = _carried() - before
            served = subject.serves() if subject.has_daemon else True
        finally:
            run("ip", "-n", HOST, "link", "del", "p8")
    usable = "" if not subject.has_daemon else ", commands are answered" if served else ", commands hang"
    return Outcome(
        f"one broadcast goes round {rounds:,} times within the first second, {later:,} times in a second "
        f"later on{usable}",
        {"rounds": rounds, "later": later, "served": int(served)},
    )


def _carried() -> int:
    """How many frames have come by one end of the cable."""
    text = run("ip", "-n", HOST, "-j", "-s", "link", "show", "p8")
    return int(json.loads(text)[0]["stats64"]["rx"]["packets"])


def broken_frames(subject: Subject) -> Outcome:
    """Frames that are cut, with tags that are not all there, with headers of protocols that lie."""
    pids = subject.pids()
    with plugged_in() as (victim, peer, attacker):
        _acquaint(victim, peer)
        attacker.pour(_broken(), FLOOD_RATE)
        victim.heard(0.5)
        peer.forget()
        arrived, _leaked = _conversation(peer, victim, attacker, VICTIM, PEER)
    alive = subject.alive(pids)
    lives = "" if not subject.has_daemon else ", the daemon lives" if alive else ", the daemon is gone"
    return Outcome(
        f"after {BROKEN} of them {arrived} of {SENT} good frames arrive{lives}",
        {"arrived": arrived, "sent": SENT, "alive": int(alive)},
    )


def _broken() -> Iterator[bytes]:
    dice = random.Random(7)
    starts = (
        b"\x81\x00", b"\x81\x00\0\x05\x81\x00", b"\x88\xa8\0\x05\x81\x00\0", b"\x08\x00\x4f\0\xff\xff",
        b"\x86\xdd\x60\0\0\0\xff\xff\0\0", b"\x08\x06\0\x01\x08\0\xff", b"\x88\x09\x01\x01", b"\x88\xcc",
        b"\x00\x26\x42\x42\x03", b"\0\0", b"\x05\xdc",
    )  # fmt: skip
    for number in range(BROKEN):
        target = dice.choice((VICTIM, BROADCAST, b"\x01\x80\xc2\0\0\0", b"\x01\x80\xc2\0\0\x02", bytes(6)))
        source = dice.choice((mac(8, number), b"\x01" + bytes(5), bytes(6), BROADCAST))
        whole = target + source + dice.choice(starts) + dice.randbytes(dice.randrange(60))
        yield whole[: max(14, dice.randrange(len(whole) + 20))]


def death_of_the_daemons(subject: Subject) -> Outcome:
    """The daemons are killed (kill -9), and stay away."""
    with plugged_in() as (victim, peer, third):
        _acquaint(victim, peer)
        subject.kill()
        known, _ = _conversation(peer, victim, third, VICTIM, PEER)
        third.send(frame(NEW, VICTIM))
        victim.heard(0.5)
        new, leaked = _conversation(victim, third, peer, NEW, VICTIM)
        subject.start()
    told = "flooded" if leaked else "learned"
    none = "" if subject.has_daemon else "it has none: "
    return Outcome(
        f"{none}{known} of {SENT} frames of a known flow arrive; of {SENT} to a station that was plugged in "
        f"afterwards {new}{f' ({told})' if new else ''}",
        {"known": known, "new": new, "leaked": leaked, "sent": SENT},
    )


def restart(subject: Subject) -> Outcome:
    """The daemons are ended and started again under a stream of numbered frames."""
    with plugged_in() as (victim, peer, _third):
        _acquaint(victim, peer)
        arrived: set[bytes] = set()
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                arrived.update(each[14:24] for each in victim.heard(0.2, 0.5))
            arrived.update(each[14:24] for each in victim.heard(1.0))

        def switch_off_and_on() -> None:
            time.sleep(1)
            subject.stop()
            subject.start()

        threads = [threading.Thread(target=listen), threading.Thread(target=switch_off_and_on)]
        for thread in threads:
            thread.start()
        total = 0
        started = time.monotonic()
        while threads[1].is_alive() or time.monotonic() - started < STREAM_SECONDS:
            peer.pour((frame(PEER, VICTIM, b"%010d" % (total + n)) for n in range(64)), STREAM_RATE)
            total += 64
            time.sleep(64 / STREAM_RATE)
        done.set()
        for thread in threads:
            thread.join()
    lost = total - len(arrived)
    none = "" if subject.has_daemon else "it has none: "
    return Outcome(f"{none}{lost} of {total} frames are lost", {"lost": lost, "sent": total})
