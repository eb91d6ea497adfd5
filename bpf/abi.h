/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only definition of what the data plane and the control plane share: every map's key and value,
 * every enumeration, every limit. The Python side is generated from the compiled object's BTF.
 *
 * The vocabulary: an *interface* is one way in and out of the switch (a device, or one end of a patch).
 * A *port* is where frames come from and go to as far as VLANs and the FDB are concerned; it has one
 * interface, or several when it is a bond. A *bridge* is a set of ports. Each is known here by a small
 * number, its id; id 0 is never used, so that zeroed memory means "nothing".
 */
#ifndef JF_ABI_H
#define JF_ABI_H

/* Constants are enumerators, not macros, so that they are in the BTF. */
enum jf_limit {
	JF_ABI_VERSION = 4,
	JF_MAX_BRIDGES = 512,
	JF_MAX_PORTS = 4096,
	JF_MAX_IFACES = 4096,
	JF_LOW_IFINDEX = 16384,       /* devices below this are found without hashing */
	JF_MAX_FLOOD_LISTS = 65536,   /* (bridge, VLAN) pairs with a member list of their own */
	JF_MAX_FLOOD_CELLS = 262144,  /* members of all lists together, while old ones are retired */
	JF_MAX_FDB_ENTRIES = 1048576, /* of all bridges together */
	JF_FDB_LOG_SIZE = 131072,     /* a power of two */
	JF_CHANGE_CELLS = 1024,       /* a power of two */
	JF_MAX_HOPS = 8,              /* bridges that one frame may pass through patch ports */
	JF_MAX_PATCH_QUEUE = 16,      /* patch crossings of one frame, all branches together */
	JF_MAX_BONDS = 128,
	JF_MAX_MEMBERS = 32,          /* of a bond: one bit each in a word */
	JF_BOND_BUCKETS = 256,
	JF_BOND_LOAD_PARTS = 16,
	JF_NO_MEMBER = 255,
	JF_MAX_ALLOWED_MACS = 16,     /* of a port whose security is locked */
	JF_MAX_BOUND = 16,            /* MAC addresses, and IP addresses or networks, that a port is bound to */
	JF_UPCALL_RING = 262144,      /* bytes, a power of two */
	JF_UPCALL_BYTES = 128,
	JF_UPCALL_RATE = 64,          /* frames that an interface may hand up in a second */
	JF_MAX_MOVES = 1024,          /* pairs of ports between which addresses moved of late */
	JF_STORM_MOVES = 512,         /* in a second, there and back again each: no station roams so fast */
	JF_DAMPED_RATE = 100,         /* frames of a kind that a damped port takes in a second */
	JF_DAMPED_SECONDS = 5,
	JF_MAX_TAGS = 4,              /* VLAN tags the switch handles in one frame */
	JF_NAME_SIZE = 64,
	JF_ANY_VLAN = 0xffff,         /* the flood list of VLANs that have none of their own */
	JF_RECORD_SIZE = 4096,        /* decisions kept by a recording program */
	JF_RECORD_BYTES = 128,
};

enum jf_vlan_mode {
	JF_VLAN_ACCESS = 0,
	JF_VLAN_TRUNK = 1,
	JF_VLAN_NATIVE_TAGGED = 2,
	JF_VLAN_NATIVE_UNTAGGED = 3,
	JF_VLAN_DOT1Q_TUNNEL = 4,
};

enum jf_priority_tags {
	JF_PRIORITY_TAGS_NEVER = 0,
	JF_PRIORITY_TAGS_IF_NONZERO = 1,
	JF_PRIORITY_TAGS_ALWAYS = 2,
};

enum jf_iface_kind {
	JF_IFACE_NONE = 0,
	JF_IFACE_DEVICE = 1,
	JF_IFACE_PATCH = 2,
};

enum jf_iface_flag {
	/* The device's other end is in another network namespace: a frame to that end's own address
	 * may take bpf_redirect_peer. */
	JF_IFACE_FAR = 1,
	/* The control plane made the device promiscuous and is to undo that; nothing to the programs. */
	JF_IFACE_PROMISCUOUS = 2,
	/* The device was down or without carrier when the control plane last looked: it is still tried, but on its own, so
	 * that its refusal is seen and has its name. */
	JF_IFACE_DOWN = 4,
};

enum jf_port_flag {
	JF_PORT_PROTECTED = 1,
	JF_PORT_SOME_VLANS = 2,  /* carries only the VLANs in jf_port_vlans */
	JF_PORT_SOME_CVLANS = 4, /* dot1q-tunnel: carries only the customer VLANs in jf_port_vlans */
	JF_PORT_BOND = 8,        /* has several interfaces: see jf_bonds */
	JF_PORT_LACP = 16,       /* frames of slow protocols go up to the control plane */
	JF_PORT_GUARDED = 32,    /* has protections that judge each frame: see jf_guards */
	JF_PORT_DAMPED = 64,     /* set and cleared by the programs: see jf_damped */
};

enum jf_bridge_flag {
	JF_BRIDGE_FORWARD_BPDU = 1,
	JF_BRIDGE_FLOOD_VLANS = 2, /* has VLANs that are never learned, in jf_bridge_flood_vlans */
	JF_BRIDGE_BONDED = 4,      /* a port of it is a bond, which may reflect gratuitous ARP */
};

enum jf_bond_mode {
	JF_BOND_MODE_ACTIVE_BACKUP = 0,
	JF_BOND_MODE_BALANCE_SLB = 1,
	JF_BOND_MODE_BALANCE_TCP = 2,
};

enum jf_bond_flag {
	JF_BOND_LACP = 1,
	JF_BOND_FALLBACK_AB = 2,   /* as active-backup while LACP has not been negotiated, else nothing passes */
	JF_BOND_ALL_MEMBERS = 4,   /* group addressed frames may come in by any member */
	JF_BOND_FOLLOW_CARRIER = 8, /* what the kernel says of a member's link counts at once */
};

enum jf_bond_lacp {
	JF_BOND_LACP_OFF = 0,
	JF_BOND_LACP_CONFIGURED = 1, /* wanted, and not there yet */
	JF_BOND_LACP_NEGOTIATED = 2,
};

/* By what a frame is dealt to one of a bond's buckets. */
enum jf_bond_hash {
	JF_BOND_HASH_NONE = 0,   /* there is one way for all */
	JF_BOND_HASH_FLOW = 1,   /* addresses and ports of all layers */
	JF_BOND_HASH_SOURCE = 2, /* source address and VLAN */
	JF_BOND_HASH_OTHER = 3,  /* the same, with a basis that is not 0 */
	JF_BOND_HASH_LIMITED = 128, /* added to each while watched_ns is a time that passes */
};

/* What becomes of a frame that came in by a member: one of these, or it is dropped for a jf_drop_reason. */
enum jf_bond_verdict {
	JF_BOND_VERDICT_UNLESS_MOVED = 254, /* taken unless its source is known to be behind another port */
	JF_BOND_VERDICT_TAKE = 255,
};

enum jf_fdb_flag {
	JF_FDB_STATIC = 1,
	JF_FDB_HASHED = 2, /* the buckets are there */
};

enum jf_guard_flag {
	JF_GUARD_MAC_LIMIT = 1,
	JF_GUARD_MAC_LIMIT_FLOOD = 2, /* frames from addresses above the limit pass, but are not learned from */
	JF_GUARD_STICKY = 4,          /* addresses learned here do not move to another port */
	JF_GUARD_LOCKED = 8,          /* only static and allowed addresses may send; they do not move either */
	JF_GUARD_BPDU = 32,           /* the port is disabled when a BPDU comes in */
	JF_GUARD_DAMPED = 16,         /* in a loop, so that storms have low limits; nothing to the programs */
};

/* Frames that are flooded, each with a limit of its own. */
enum jf_storm {
	JF_STORM_BROADCAST = 0,
	JF_STORM_MULTICAST = 1,
	JF_STORM_UNKNOWN_UNICAST = 2,
	JF_STORM_COUNT = 3,
};

/*
 * Every way a frame can end other than by being sent: one list that yields the enumerators and, in
 * Python, the texts. X(enumerator, name, text).
 */
#define JF_DROP_REASONS(X) \
	X(RUNT, "runt", "shorter than an Ethernet header") \
	X(SOURCE_MULTICAST, "source-multicast", "source address is a group address") \
	X(RESERVED_DESTINATION, "reserved-destination", "link-local destination and forward-bpdu is off") \
	X(VLAN_TRUNCATED, "vlan-truncated", "ends within its VLAN tag") \
	X(VLAN_TAGGED_ON_ACCESS, "vlan-tagged-on-access", "tagged frame on an access port") \
	X(VLAN_NOT_TRUNKED, "vlan-not-trunked", "VLAN is not in the port's trunks") \
	X(VLAN_CUSTOMER_REFUSED, "vlan-customer-refused", "customer VLAN is not in the port's cvlans") \
	X(SAME_PORT, "same-port", "destination is behind the port the frame came from") \
	X(PROTECTED, "protected", "both the source and the destination port are protected") \
	X(MTU_EXCEEDED, "mtu-exceeded", "longer than the MTU of the output interface") \
	X(NO_DESTINATION, "no-destination", "no other port carries the frame's VLAN") \
	X(TOO_MANY_HOPS, "too-many-hops", "passed through too many patch ports") \
	X(PATCH_NO_PEER, "patch-no-peer", "patch port without a peer") \
	X(PATCH_QUEUE_FULL, "patch-queue-full", "copied to too many patch ports at once") \
	X(PORT_DOWN, "port-down", "output port is down or has no device") \
	X(BOND_INACTIVE_MEMBER, "bond-inactive-member", "came in by a bond member that is not to receive it") \
	X(BOND_MULTICAST_INACTIVE, "bond-multicast-inactive", "group destination on an inactive bond member") \
	X(BOND_MOVED, "bond-moved", "source address is behind another port: a reflection from a bond") \
	X(BOND_NO_LACP, "bond-no-lacp", "LACP has not been negotiated on the bond") \
	X(BOND_NO_MEMBER, "bond-no-member", "no member of the bond can carry the frame") \
	X(STORM_BROADCAST, "storm-broadcast", "more broadcast than the port's limit lets in") \
	X(STORM_MULTICAST, "storm-multicast", "more multicast than the port's limit lets in") \
	X(STORM_UNKNOWN_UNICAST, "storm-unknown-unicast", "more unknown unicast than the port's limit lets in") \
	X(MAC_LIMIT, "mac-limit", "new source address on a port with as many as its mac-limit") \
	X(MAC_LOCKED, "mac-locked", "source address is none of those that the port is locked to") \
	X(MAC_STICKY, "mac-sticky", "source address belongs to another port, which port-security keeps it on") \
	X(BOUND_MAC, "bound-mac", "source MAC address is none of the port's allowed-addresses") \
	X(BOUND_IP, "bound-ip", "source IP address is none of the port's allowed-addresses") \
	X(BOUND_ARP, "bound-arp", "sender in ARP is not the frame's, or none of the port's allowed-addresses") \
	X(BOUND_ND, "bound-nd", "neighbour discovery for others than the port's allowed-addresses") \
	X(BPDU_GUARD, "bpdu-guard", "BPDU on a port with bpdu-guard, which is disabled by it") \
	X(PORT_DISABLED, "port-disabled", "the port is disabled: `jackfield status` says why") \
	X(UPCALL_LIMIT, "upcall-limit", "more frames for the control plane than it takes") \
	X(VLAN_EDIT_FAILED, "vlan-edit-failed", "kernel could not change the VLAN tags") \
	X(SEND_FAILED, "send-failed", "output device refused the frame")

enum jf_drop_reason {
	JF_DROP_NONE = 0,
#define JF_DROP_ENUMERATOR(enumerator, name, text) JF_DROP_##enumerator,
	JF_DROP_REASONS(JF_DROP_ENUMERATOR)
#undef JF_DROP_ENUMERATOR
	JF_DROP_REASON_COUNT,
};

/* Maps jf_ingress_low and jf_ingress_high, by ifindex below and from JF_LOW_IFINDEX: which interface and
 * port a device's frames enter by. */
struct jf_ingress {
	__u16 iface;
	__u16 port;
	__u8 member; /* of the bond, if the port is one */
	__u8 zero[3];
};

/* Map jf_ifaces, by interface id. */
struct jf_iface {
	__u32 ifindex; /* of the end that the switch sends to; 0: no device at present */
	__u32 mtu;     /* bytes of payload; 0: no limit */
	__u16 port;
	__u16 peer;    /* patch: interface id of the other end; 0: none */
	__u8 kind;
	__u8 flags;
	__u8 mac[6];   /* of the user's end; all zero when unknown */
};

/* Map jf_ports, by port id. */
struct jf_port {
	__u16 bridge;
	__u16 tag;
	__u8 vlan_mode;
	__u8 priority_tags;
	__u8 flags;
	__u8 iface_count;
	__u16 qinq_tpid; /* host byte order */
	__u16 iface;     /* where frames leave; of a bond, its number in jf_bonds */
};

/*
 * Map jf_bonds, by bond number. It is written by the program jf_bond_control only, on behalf of the control
 * plane, and `down` by the watchers of carrier too. A member is known by its place in `members`, and by the
 * bit of that number; it keeps it as long as it is a member.
 */
struct jf_bond {
	/* Configuration. */
	__u32 basis; /* of hashes */
	__u8 mode;   /* jf_bond_mode */
	__u8 flags;  /* jf_bond_flag */
	/* State. */
	__u8 lacp;   /* jf_bond_lacp */
	__u8 active; /* member; JF_NO_MEMBER */
	__u32 enabled;    /* members that may carry frames */
	__u32 collecting; /* members that may receive while LACP is negotiated */
	__u32 down;       /* members without a link */
	__u32 present;    /* places in use */
	/* What follows from it: see bondstate.h, and there jf_ways. */
	__u32 changes; /* made to the above so far */
	__u64 factor;  /* of hashes of flows */
	/* Until then, by CLOCK_MONOTONIC, somebody sees to `down`; later the program tries whether members take frames. */
	__u64 watched_ns;
	__u64 tested_ns; /* when the program last tried whether the active member has a link, by CLOCK_MONOTONIC, coarse */
	__u8 hash;     /* jf_bond_hash */
	__u8 refusal;  /* jf_drop_reason where there is no way out */
	__u8 zero[6];
	__u16 members[32]; /* interface ids; 0: no member */
	__u8 buckets[256]; /* the member that is to have them, for each hash */
	__u8 to_one[32];   /* by member: the verdict on a frame to one station */
	__u8 to_group[32]; /* and to a group */
};

/* Map jf_bond_loads, by bond number and CPU: bytes sent for each bucket, of one frame in JF_BOND_LOAD_PARTS. */
struct jf_bond_load {
	__u64 bytes[256];
};

/* Argument of the program jf_bond_control. */
enum jf_bond_op {
	JF_BOND_CONFIGURE = 1, /* set the configuration; of a new bond, all that has a field flag as well */
	JF_BOND_SET = 2,       /* set what has a field flag */
	JF_BOND_LINK = 3,      /* the link of `member` is down, or up */
	JF_BOND_REMOVE = 4,
	JF_BOND_WATCH = 5,     /* set watched_ns */
};

enum jf_bond_field_flag {
	JF_BOND_FIELD_ENABLED = 1,
	JF_BOND_FIELD_COLLECTING = 2,
	JF_BOND_FIELD_ACTIVE = 4,
	JF_BOND_FIELD_LACP = 8,
	JF_BOND_FIELD_BUCKETS = 16,
};

struct jf_bond_request {
	__u64 watched_ns;
	__u32 op;
	__u32 bond;
	__u32 fields; /* jf_bond_field_flag */
	__u32 basis;
	__u32 present;
	__u32 enabled;
	__u32 collecting;
	__u8 mode;
	__u8 flags;
	__u8 lacp;
	__u8 active;
	__u8 member;
	__u8 down;
	__u8 zero[6];
	__u16 members[32];
	__u8 buckets[256];
};

/* Map jf_lacp, by interface id: what the control plane is to remember of its partner over a restart. The
 * programs do not use it. */
struct jf_lacp {
	__u64 heard_ns;     /* CLOCK_MONOTONIC */
	__u8 partner[15];   /* as in a LACPDU: system priority, system, key, port priority, port, state */
	__u8 status;
	__u8 attached;
	__u8 key_member;
	__u8 zero[6];
};

/* Ring buffer jf_upcalls: what the control plane is told. */
enum jf_upcall_kind {
	JF_UPCALL_SLOW_PROTOCOL = 1, /* a frame of ethertype 0x8809, such as a LACPDU */
	JF_UPCALL_CARRIER = 2,       /* a bond member's link changed: `length` is 1 if it is there, else 0 */
	JF_UPCALL_MOVES = 3,         /* addresses keep moving: `data` starts with a jf_move_key */
	JF_UPCALL_PROBE = 4,         /* a frame to the switch's own probe address came in */
	JF_UPCALL_DISABLED = 5,      /* a program has disabled the interface's port */
};

struct jf_upcall {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u16 iface;
	__u16 vlan;      /* inside the bridge, of what is about one */
	__u16 kind;
	__u16 length;    /* of the frame in bytes */
	__u8 data[128]; /* its first bytes */
};

/* Map jf_upcall_rates, by interface id: what it handed up in the current second. */
struct jf_upcall_rate {
	__u64 since_ns;
	__u64 count;
};

/* Map jf_moves: how often addresses of a VLAN have moved from one port to another, from some time on. */
struct jf_move_key {
	__u16 before;
	__u16 after;
	__u16 vlan;
	__u16 zero;
};

struct jf_moves {
	__u64 since_ns;
	__u64 count;
	__u64 told_ns; /* when the control plane was told last */
};

/* Map jf_storms, by jf_move_key: how often addresses have moved in the current second, while nobody looks after loops. */
struct jf_storm_moves {
	__u64 since_ns;
	__u64 count;
};

/* Map jf_damped, by port id: ports that the programs themselves let flood little for a while, because addresses moved
 * between them and others as they do in a loop and nobody looked after loops. The control plane removes what it has told
 * of. */
struct jf_damped {
	__u64 until_ns;         /* CLOCK_MONOTONIC, coarse */
	__u64 storm_next_ns[3]; /* by jf_storm: when the next frame is due at the highest rate */
	__u64 count;            /* times that it came to this */
	__u16 other;            /* port id: where the addresses moved to and from */
	__u16 vlan;
	__u8 zero[4];
};

/* Map jf_watch, one element: until then, by CLOCK_MONOTONIC, the control plane looks after loops. It says so again and
 * again. */
struct jf_watch {
	__u64 until_ns;
};

/* Map jf_disabled, by port id: ports that carry no frames. Such a port belongs to no bridge in jf_ports. Whoever disables
 * one, the control plane or a program, writes this first. */
enum jf_disabled_by {
	JF_DISABLED_BY_LOOP = 1,
	JF_DISABLED_BY_BPDU = 2,
};

struct jf_disabled {
	__u64 since_ns; /* CLOCK_MONOTONIC, coarse */
	__u32 by;       /* jf_disabled_by */
	__u32 other;    /* port id: the other end of a loop; 0: none */
};

/* Map jf_switch, one element. */
struct jf_switch {
	__u32 probe; /* the last three bytes of the address that probes for loops are sent to; 0: none are */
};

/* A set of VLANs. Maps jf_port_vlans, by port id, and jf_bridge_flood_vlans, by bridge id. */
struct jf_vlan_set {
	__u64 bits[64];
};

/* Map jf_bridges, by bridge id. */
struct jf_bridge {
	__u64 ageing_ns;
	__u32 table_size; /* most learned entries */
	__u16 port_count;
	__u8 flags;
	__u8 vlan_limit; /* VLAN tags understood: 1 or 2 */
};

/* Map jf_bridge_state, by bridge id: written by the data plane only. */
struct jf_bridge_state {
	__u64 entries; /* learned, without static ones */
	__u64 statics;
	__u64 learned;
	__u64 expired;
	__u64 evicted;
	__u64 moved;
	__u64 refused; /* table full and no entry found that should give way */
	__u64 starved; /* so since the last sweep, which makes room then */
};

/* Map jf_port_state, by port id: written by the data plane only. */
struct jf_port_state {
	__u64 entries; /* learned by this port */
	__u64 learned; /* in all, those that moved here among them */
	__u64 evicted; /* removed to make room */
	__u64 refused; /* not learned for want of room */
};

/* Map jf_guards, by port id: the protections of a port. Those that judge its frames do so behind JF_PORT_GUARDED. */
struct jf_guard {
	__u32 flags; /* jf_guard_flag */
	__u32 mac_limit;
	__u64 storm_interval_ns[3]; /* by jf_storm, from frame to frame at the highest rate; 0: no limit */
	__u64 storm_burst_ns[3];    /* how far ahead of that rate frames may be */
	__u32 allowed_count;
	__u8 allowed[96]; /* addresses of JF_GUARD_LOCKED, six bytes each */
	__u32 bound_mac_count; /* 0: any MAC source passes */
	__u32 bound_ipv4_count;
	__u32 bound_ipv6_count; /* both 0: any IP source passes */
	__u8 bound_macs[96];    /* six bytes each */
	__u32 bound_ipv4[16];   /* networks and their masks as they are in a frame */
	__u32 bound_ipv4_mask[16];
	__u64 bound_ipv6[32];
	__u64 bound_ipv6_mask[32];
};

/* Map jf_guard_state, by port id, of ports with and without protections: written by the data plane. */
struct jf_guard_state {
	__u64 storm_next_ns[3]; /* by jf_storm: when the next frame is due at the highest rate */
	__u64 unlearned;        /* frames that passed without being learned from, for JF_GUARD_MAC_LIMIT_FLOOD */
	__u64 offence_ns;       /* when a frame was last dropped for its source address, and which that was */
	__u16 offence;          /* jf_drop_reason */
	__u16 vlan;
	__u8 mac[6];
	__u8 zero[6];
};

/* Map jf_flood_lists: the ports that carry a VLAN, as a range of map jf_flood_cells. A list is never
 * changed in place: a new range is written, then the head is replaced. */
struct jf_flood_key {
	__u16 bridge;
	__u16 vlan; /* or JF_ANY_VLAN */
};

struct jf_flood_list {
	__u32 start;
	__u32 count;
};

/* Map jf_flood_cells, by position. */
struct jf_flood_cell {
	__u16 port;
	__u16 reserved;
};

/* Map jf_fdb, the learning table. */
struct jf_fdb_key {
	__u16 bridge;
	__u16 vlan;
	__u8 mac[6];
	__u16 zero;
};

struct jf_fdb_entry {
	__u64 seen_ns; /* CLOCK_MONOTONIC, coarse */
	__u32 port;
	__u16 flags;
	/* Of this address as a source, on a bond with hash basis 0: in this VLAN, and in VLAN 0. */
	__u8 bucket;
	__u8 bucket_untagged;
	__u64 locked_ns; /* until then, gratuitous ARP from a bond does not move it */
};

/* Map jf_address_changes, one element: how often addresses moved or were removed, by a hash of the address. Decisions
 * that the programs have kept about such an address end then, as all do when the control plane has written the time,
 * in nanoseconds of CLOCK_MONOTONIC, into jf_configured. */
struct jf_address_changes {
	__u32 count[1024];
};

/* Map jf_counters, by interface id and CPU. */
struct jf_counters {
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 tx_packets;
	__u64 tx_bytes;
};

/* Map jf_drops, by CPU: frames that ended here, in the name of this interface. */
struct jf_drop_key {
	__u16 iface;
	__u16 reason;
};

/* Map jf_names, by kind and id: what ids stand for, so that a new control plane finds them again. */
enum jf_name_kind {
	JF_NAME_BRIDGE = 1,
	JF_NAME_PORT = 2,
	JF_NAME_IFACE = 3,
	JF_NAME_BOND = 4,
};

struct jf_name_key {
	__u16 kind;
	__u16 id;
};

struct jf_name {
	char name[64];
};

/* Argument and result of the program jf_fdb_control. */
enum jf_fdb_op {
	JF_FDB_SWEEP = 1,        /* remove aged entries of all bridges, and make room where it was missed */
	JF_FDB_FLUSH_BRIDGE = 2, /* remove learned entries of `bridge` */
	JF_FDB_PURGE_PORT = 3,   /* remove all entries of `port` */
	JF_FDB_PURGE_BRIDGE = 4, /* remove all entries of `bridge` */
	JF_FDB_ADD_STATIC = 5,   /* (bridge, vlan, mac) is behind `port` for good */
	JF_FDB_DELETE = 6,       /* remove (bridge, vlan, mac), learned or static */
	JF_FDB_CLEAR_STATS = 7,  /* set the counts of what happened on `bridge` to 0 */
};

struct jf_fdb_request {
	__u64 now_ns;
	__u32 op;
	__u16 bridge;
	__u16 port;
	__u16 vlan;
	__u8 mac[6];
	__u32 affected; /* result: entries removed or added */
	__u32 zero;
};

/*
 * One decision about one frame: it left by an interface, or ended for a reason. Made in one place of the
 * program. Map jf_record keeps them when the program was loaded to record (tests): then nothing is sent.
 */
struct jf_decision {
	__u16 in_iface;  /* where the frame entered the switch */
	__u16 iface;     /* output: where it left; drop: in whose name it is counted */
	__u16 reason;    /* jf_drop_reason; JF_DROP_NONE means output */
	__u16 vlan;
	__u32 length;    /* of the frame in bytes, tags included */
	__u16 tag_tci;   /* tag carried beside the bytes (accelerated), if tag_tpid is not 0 */
	__u16 tag_tpid;  /* host byte order */
	__u8 bytes[128]; /* the frame's first bytes as it left */
};

/* Map jf_recorder, one element. */
struct jf_recorder {
	__u64 now_ns; /* the time a recording program believes it is */
	__u64 count;  /* decisions recorded */
	__u64 kept;   /* of them, those that an earlier decision was followed for */
};

#endif
