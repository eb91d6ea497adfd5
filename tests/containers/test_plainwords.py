"""Which command lines the agent takes on, and what it reads in them."""

from __future__ import annotations

import click
import pytest

from jackfield.cli.shell.containers import attach_command, detach_command
from jackfield.client.errors import Failure
from jackfield.containers import plainwords
from jackfield.containers.attachment import Wish
from jackfield.containers.commands import AttachOrder, DetachOrder
from jackfield.containers.plainwords import read_order


def test_a_plain_command_line_is_read() -> None:
    words = (
        "attach web1 br0 --ip 10.0.0.1/24 --ip=fd00::1/64 --gw 10.0.0.254 --route 10.9.0.0/16=10.0.0.9"
        " --tag 5 --trunks=7,9-10 --mtu 1400 --mac 02:00:00:00:00:01 --ifname eth0 --port p1"
        " --replace --veth --json"
    )
    wish = Wish(
        "br0",
        ifname="eth0",
        addresses=("10.0.0.1/24", "fd00::1/64"),
        gateways=("10.0.0.254",),
        routes=("10.9.0.0/16=10.0.0.9",),
        tag=5,
        trunks=(7, 9, 10),
        mac="02:00:00:00:00:01",
        mtu=1400,
        replace=True,
        veth=True,
        port="p1",
    )
    assert read_order(words.split()) == AttachOrder("web1", wish, as_json=True)
    assert read_order(["attach", "netns:a", "br0"]) == AttachOrder("netns:a", Wish("br0"))
    assert read_order(["detach", "web1", "--ifname", "eth2"]) == DetachOrder("web1", "eth2")
    assert read_order(["detach", "web1"]) == DetachOrder("web1")


@pytest.mark.parametrize(
    "words",
    [
        "attach",
        "attach web1",
        "attach web1 br0 br1",
        "attach web1 br0 --help",
        "attach web1 br0 -h",
        "attach web1 br0 --ip",
        "attach web1 br0 --ip --json",
        "attach web1 br0 --mtu big",
        "attach web1 br0 --replace=yes",
        "attach web1 br0 --ip dhcp",
        "attach -- web1 br0",
        "attach web1 br0 --nonsense",
        "detach",
        "detach a b",
        "detach a --json",
        "attachments",
    ],
)
def test_any_other_command_line_is_left_to_the_shell(words: str) -> None:
    assert read_order(words.split()) is None


def test_what_the_command_would_refuse_is_refused_in_the_same_words() -> None:
    with pytest.raises(Failure, match="5000 is not a VLAN"):
        read_order(["attach", "web1", "br0", "--tag", "5000"])


def test_every_option_of_the_commands_is_known() -> None:
    def options(command: click.Command) -> set[str]:
        return {name for each in command.params if isinstance(each, click.Option) for name in each.opts}

    known = {*plainwords.SEVERAL, *plainwords.SINGLE, *plainwords.FLAGS, *plainwords.OTHERS}
    assert options(attach_command) == known
    assert options(detach_command) == {"--ifname"}
