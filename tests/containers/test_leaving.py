"""What is left of attachments when somebody else takes away their port, or the whole switch."""

from __future__ import annotations

from tests.containers.conftest import World
from tests.containers.test_undoing import prepared
from tests.netlab import until


def test_deleting_the_port_of_an_attachment_with_a_pair_removes_the_pair(world: World) -> None:
    one, other = world.switch.lab.namespace("one"), world.switch.lab.namespace("other")
    world.do("attach", f"netns:{other.name}", "br0")
    devices = world.switch.host.devices()
    world.do("attach", f"netns:{one.name}", "br0", "--veth", "--port", "jftpair", "--ip", "10.0.0.1/24")
    until(lambda: world.switch.get("Interface", "jftpair", "ifindex") not in ("", "[]", "0"), what="a device")
    world.switch.vsctl("del-port", "br0", "jftpair")
    until(lambda: one.devices() == {"lo"}, what="the end of the pair")
    assert world.switch.host.devices() == devices


def test_deleting_the_port_that_replaced_an_interface_brings_that_one_back(world: World) -> None:
    one, other = prepared(world), world.switch.lab.namespace("another")
    before = (one.mac("eth0"), one.ip("-4", "route"))
    world.do("attach", f"netns:{other.name}", "br0")
    until(lambda: (world.switch.daemon.rundir / "jackfield-agent.sock").exists(), what="the agent")
    words = ("--ifname", "eth0", "--replace", "--port", "jftnew", "--ip", "10.0.0.1/24")
    world.do("attach", f"netns:{one.name}", "br0", *words)
    assert "jf-eth0" in one.devices()
    world.switch.vsctl("del-port", "br0", "jftnew")
    until(lambda: one.devices() == {"lo", "eth0"}, what="the interface")
    until(lambda: (one.mac("eth0"), one.ip("-4", "route")) == before, what="its address and routes")


def test_a_switch_that_goes_for_good_puts_back_what_was_replaced_until_it_is_started_again(
    world: World,
) -> None:
    one = prepared(world)
    two = world.switch.lab.namespace("two")
    before = (one.mac("eth0"), one.ip("-4", "route"))
    world.do("attach", f"netns:{one.name}", "br0", "--ifname", "eth0", "--replace", "--ip", "10.0.0.1/24")
    world.do("attach", f"netns:{two.name}", "br0", "--veth", "--ip", "10.0.0.2/24")
    assert two.pings("10.0.0.1")
    listed = world.attachments()
    world.agent_pid()
    world.switch.daemon.stop(cleanup=True)
    try:
        assert (one.mac("eth0"), one.ip("-4", "route")) == before
        assert one.devices() == {"lo", "eth0"}
        assert two.devices() == {"lo"}
    finally:
        world.switch.daemon.start()
    until(lambda: set(world.states().values()) == {"attached"}, what="the attachments again")
    until(lambda: two.pings("10.0.0.1"), what="an answer again")
    assert world.attachments() == listed
    world.do("detach", f"netns:{one.name}")
    assert (one.mac("eth0"), one.ip("-4", "route")) == before
