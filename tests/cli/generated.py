"""Command lines made at random of words that mean something together often enough."""

from __future__ import annotations

from hypothesis import strategies as st

BRIDGES = st.sampled_from(["br0", "br0", "br1", "fake0", "nope"])
PORTS = st.sampled_from(["p0", "p0", "p1", "bond0", "br0", "new0", "new1", ""])
RECORDS = st.sampled_from(["br0", "p0", "p1", "bond0", ".", "nope", "@a", "0123", "12345678"])
INTEGERS = st.sampled_from(["0", "1", "7", "10", "4095", "4096", "-1", "65535", "x", "1e3", "+5", "007"])
ATOMS = INTEGERS | st.sampled_from(["a", "b", "a b", '"q"', '"a\\"b"', '""', "true", "no", "a,b", "@a", "'"])
SETS = st.sampled_from(
    ["[]", "{}", "[1,2]", "1,2,3", "1-4", "4-1", "[1", "{a=1}", "{a=1,b=2}", "a=1,a=2", ""]
)
VALUES = ATOMS | SETS
SCALARS = st.sampled_from(
    ["name", "tag", "fake_bridge", "stp_enable", "type", "ofport_request", "select_all"]
)
SETLIKE = st.sampled_from(
    ["trunks", "flood_vlans", "protocols", "ports", "interfaces", "qos", "mac", "vlan_mode"]
)
MAPS = st.sampled_from(["other_config", "external_ids", "options", "external-ids", "OTHER"])
COLUMNS = SCALARS | SETLIKE | MAPS | st.sampled_from(["_uuid", "o", "t", "nope", ""])
KEYS = st.sampled_from(["a", "b", "zz", '"a"', ""])
TABLES = st.sampled_from(
    ["Bridge", "Port", "Interface", "Port", "br", "PORT", "QoS", "Mirror", "Open", "o", "Flow"]
)
# The original does not survive the destruction of the one row of Open_vSwitch.
LEAVES = TABLES.filter(lambda name: not name.lower().startswith("o"))
OPERATORS = st.sampled_from(["=", "!=", "<", ">=", "{=}", "{<=}", "{>}", "{in}", "{not-in}", "~", ""])
TABLE_RECORDS = st.sampled_from([
    ("Port", "p0"), ("Port", "p1"), ("Port", "bond0"), ("Bridge", "br0"), ("Bridge", "br1"),
    ("Interface", "p0"), ("Open_vSwitch", "."), ("int", "p1"), ("Port", "nope"), ("AutoAttach", "br0"),
    ("Controller", "br0"),
])  # fmt: skip


def words(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[list[str]]:
    """A list of words, each fixed or drawn."""
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map(list)


def some(part: st.SearchStrategy[str], least: int = 0, most: int = 2) -> st.SearchStrategy[list[str]]:
    """A few words."""
    return st.lists(part, min_size=least, max_size=most)


def row(*more: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    """TABLE RECORD and what follows them."""
    return st.tuples(TABLE_RECORDS, *more).map(lambda parts: [*parts[0], *(w for p in parts[1:] for w in p)])


SELECTORS = COLUMNS | st.tuples(MAPS, KEYS).map(":".join)
SETTINGS = st.tuples(SCALARS | SETLIKE | MAPS, VALUES).map("=".join) | st.tuples(MAPS, KEYS, ATOMS).map(
    lambda parts: f"{parts[0]}:{parts[1]}={parts[2]}"
)
GOOD_SETTINGS = st.sampled_from([
    "tag=5", "tag=[]", "trunks=1,2", "vlan_mode=trunk", "other_config:a=b", "other_config:c=d",
    "external_ids:a=1", 'external_ids={x="y z"}',
])  # fmt: skip
CONDITIONS = st.tuples(SELECTORS, OPERATORS, VALUES).map("".join)
COLUMN_LISTS = st.sampled_from(["name", "name,tag", "other_config,name", "_uuid", "nope", "tag name"])

COMMANDS: dict[str, tuple[tuple[str, ...], st.SearchStrategy[list[str]]]] = {
    "add-br": (("--may-exist",), words(PORTS) | words(PORTS, BRIDGES, INTEGERS)),
    "del-br": (("--if-exists",), words(BRIDGES)),
    "list-br": (("--real", "--fake"), words()),
    "br-exists": ((), words(BRIDGES)),
    "br-to-vlan": ((), words(BRIDGES)),
    "br-to-parent": ((), words(BRIDGES)),
    "br-set-external-id": ((), words(BRIDGES, KEYS) | words(BRIDGES, KEYS, ATOMS)),
    "br-get-external-id": ((), words(BRIDGES) | words(BRIDGES, KEYS)),
    "list-ports": ((), words(BRIDGES)),
    "list-ifaces": ((), words(BRIDGES)),
    "add-port": (
        ("--may-exist",),
        st.builds(lambda a, b: a + b, words(BRIDGES, PORTS), some(GOOD_SETTINGS | SETTINGS)),
    ),
    "del-port": (("--if-exists", "--with-iface"), words(PORTS) | words(BRIDGES, PORTS)),
    "port-to-br": ((), words(PORTS)),
    "iface-to-br": ((), words(PORTS)),
    "add-bond": (
        ("--may-exist", "--fake-iface"),
        st.builds(lambda a, b: a + b, words(BRIDGES, PORTS, PORTS, PORTS), some(GOOD_SETTINGS)),
    ),
    "add-bond-iface": (("--may-exist",), words(PORTS, PORTS)),
    "del-bond-iface": (("--if-exists",), words(PORTS) | words(PORTS, PORTS)),
    "get-controller": ((), words(BRIDGES)),
    "set-controller": (("--inactivity-probe=7",), words(BRIDGES, "tcp:1.2.3.4:5") | words(BRIDGES, ATOMS)),
    "del-controller": ((), words(BRIDGES)),
    "set-fail-mode": ((), words(BRIDGES, "secure") | words(BRIDGES, ATOMS)),
    "get-fail-mode": ((), words(BRIDGES)),
    "set-manager": (("--inactivity-probe=x",), words("ptcp:1") | words(ATOMS)),
    "get-manager": ((), words()),
    "add-aa-mapping": ((), words(BRIDGES, INTEGERS, INTEGERS)),
    "del-aa-mapping": ((), words(BRIDGES, INTEGERS, INTEGERS)),
    "get-aa-mapping": ((), words(BRIDGES)),
    "emer-reset": ((), words()),
    "show": ((), words()),
    "get": (("--if-exists", "--id=@a"), row(some(SELECTORS))),
    "set": (("--if-exists",), row(some(GOOD_SETTINGS | SETTINGS, 1))),
    "add": (("--if-exists",), row(some(COLUMNS, 1, 1), some(VALUES | SETTINGS, 1))),
    "remove": (("--if-exists",), row(some(COLUMNS, 1, 1), some(VALUES | SETTINGS, 1))),
    "clear": (("--if-exists",), row(some(COLUMNS, 1))),
    "list": (
        ("--if-exists", "--columns="),
        st.builds(lambda a, b: a + b, words(TABLES), some(RECORDS)),
    ),
    "find": (("--columns=",), st.builds(lambda a, b: a + b, words(TABLES), some(CONDITIONS))),
    "create": (("--id=@a",), st.builds(lambda a, b: a + b, words(TABLES), some(SETTINGS, 1))),
    "destroy": (("--if-exists", "--all"), st.builds(lambda a, b: a + b, words(LEAVES), some(RECORDS))),
    "comment": ((), some(ATOMS)),
}
GLOBAL = st.sampled_from([
    "--oneline", "--dry-run", "-ftable", "-fcsv", "-fjson", "-fhtml", "-dbare", "-djson", "--bare",
    "--pretty", "--no-headings", "--max-column-width=5", "--no-syslog",
])  # fmt: skip


@st.composite
def commands(draw: st.DrawFn) -> list[str]:
    """One command with its options in front; now and then with one that it does not have."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    known, arguments = COMMANDS[name]
    options = [
        option + draw(COLUMN_LISTS) if option.endswith("=") else option
        for option in known
        if draw(st.integers(0, 2)) == 0
    ]
    if draw(st.integers(0, 19)) == 0:
        options.append(
            draw(st.sampled_from(["--if-exists", "--may-exist", "--real", "--id=@b", "--columns"]))
        )
    return [*options, name, *draw(arguments)]


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A command line: options for all of it, and one to three commands."""
    line = draw(st.lists(GLOBAL, max_size=2))
    for command in draw(st.lists(commands(), min_size=1, max_size=3)):
        line += ["--", *command]
    return line
