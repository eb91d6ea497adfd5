"""The text of the systemd unit (systemd.unit(5), systemd.service(5), systemd.exec(5)). Pure."""

from __future__ import annotations

from dataclasses import dataclass

UNIT = "jackfield.service"
DIRECTORY = "/etc/systemd/system"

CAPABILITIES = {
    "CAP_BPF": "load the programs and write their maps",
    "CAP_PERFMON": "let the verifier accept them: they compute with pointers",
    "CAP_NET_ADMIN": "make devices, attach programs to them, set addresses and MTUs",
    "CAP_NET_RAW": "send LACPDUs and announcements by raw sockets",
    "CAP_NET_BROADCAST": "hear of changes of devices in other network namespaces",
    "CAP_NET_BIND_SERVICE": "listen on ports below 1024 if a manager is to be there; DHCP for containers",
    "CAP_SYS_ADMIN": "enter the network namespaces of containers, mount bpffs where it is not",
    "CAP_SYS_PTRACE": "find the network namespaces of processes",
    "CAP_DAC_OVERRIDE": "read and write what belongs to others: users' directories, old sockets",
    "CAP_CHOWN": "give the sockets the owner that was asked for",
}
"""What the daemon may do, and why; nothing else of root's powers is left to it."""


@dataclass(frozen=True, slots=True)
class Service:
    """What differs from host to host: the command (an absolute path) and the switch's directories."""

    command: str
    rundir: str = "/run/openvswitch"
    dbdir: str = "/etc/openvswitch"
    logdir: str = "/var/log/openvswitch"
    watchdog_seconds: int = 60


def unit_text(service: Service) -> str:
    """The unit file. It starts before the network is configured, so that internal ports are there to hold
    addresses; it is ready when the kernel is as the database wants it."""
    reasons = "".join(f"#   {name}: {why}\n" for name, why in CAPABILITIES.items())
    return f"""\
# Written by `jackfield install-service`.
[Unit]
Description=Jackfield virtual Ethernet switch
Documentation=man:ovs-vswitchd.conf.db(5) man:ovs-vsctl(8)
DefaultDependencies=no
After=local-fs.target systemd-sysctl.service systemd-modules-load.service
Wants=network-pre.target
Before=network-pre.target network.target network-online.target networking.service shutdown.target
Before=systemd-networkd.service NetworkManager.service netplan-ovs-cleanup.service
Conflicts=shutdown.target ovs-vswitchd.service ovsdb-server.service
# A daemon that ends again and again is started again and again.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={_word(service.command)} daemon
ExecReload=/bin/kill -HUP $MAINPID
# Stopping ends the daemon and leaves the data plane forwarding; its children end with it.
KillMode=mixed
TimeoutStartSec=90
TimeoutStopSec=30
WatchdogSec={service.watchdog_seconds}
Restart=always
RestartSec=500ms
Environment={_word(f"OVS_RUNDIR={service.rundir}")}
Environment={_word(f"OVS_DBDIR={service.dbdir}")}
Environment={_word(f"OVS_LOGDIR={service.logdir}")}
OOMScoreAdjust=-900
LimitNOFILE=65536
LimitMEMLOCK=infinity
UMask=0027

# What of root's powers is needed:
{reasons}CapabilityBoundingSet={" ".join(CAPABILITIES)}
NoNewPrivileges=yes
LockPersonality=yes
ProtectSystem=yes
ProtectHome=read-only
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
PrivateTmp=no
RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_PACKET AF_INET AF_INET6
RestrictNamespaces=net mnt
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service @mount bpf perf_event_open setns unshare
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
# Hooks of ifupdown, units of netplan and others start Open vSwitch by these names when they need a switch.
Alias=openvswitch-switch.service ovsdb-server.service ovs-vswitchd.service
"""


def _word(text: str) -> str:
    """`text` as one word of a unit file (systemd.syntax(7)): quoted, with specifiers kept from expansion."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != text or " " in text else text
