"""The real ovs-vswitchd as a client of our server, and of one that was killed and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.storage import open_storage
from jackfield.switchd.schema import open_vswitch_schema
from tests.netlab import Lab
from tests.ovsdb.standalone import SECONDS, Standalone

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(shutil.which("ovs-vswitchd") is None, reason="ovs-vswitchd is not installed"),
]


def test_the_real_switch_works_for_our_server_and_survives_its_crash(tmp_path: Path) -> None:
    with Lab() as lab, Standalone(tmp_path / "s") as server:
        file = server.folder / "conf.db"
        open_storage(file, parse_schema(open_vswitch_schema())).close()
        server.start(file)
        remote = f"unix:{server.socket}"

        def vsctl(*words: str) -> str:
            return server.run("ovs-vsctl", f"--db={remote}", "-t", "15", *words)

        vsctl("--no-wait", "init")
        enter = ("ip", "netns", "exec", lab.namespace("host").name)
        control = f"--unixctl={server.folder}/vswitchd.ctl"
        with subprocess.Popen(
            [*enter, "ovs-vswitchd", remote, "--disable-system", control],
            env=server.environment,
            stderr=subprocess.DEVNULL,
        ) as switch:
            try:
                vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev")
                vsctl("add-port", "br0", "p1", "--", "set", "Interface", "p1", "type=internal")
                assert vsctl("get", "Interface", "p1", "ofport") == "1\n"
                assert vsctl("get", "Interface", "p1", "mac_in_use").count(":") == 5
                server.kill()
                server.start(file)
                vsctl("add-port", "br0", "p2", "--", "set", "Interface", "p2", "type=internal")
                assert vsctl("get", "Interface", "p2", "ofport") == "2\n"
            finally:
                switch.terminate()
                switch.wait(SECONDS)
