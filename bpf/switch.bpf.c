/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The switch: runs on every device of a port, for each frame that comes in there, and is the action
 * NORMAL of Open vSwitch in eBPF. jackfield.model.switch is the same in Python.
 *
 *   enter:  which port; addresses and tags; count
 *   refuse: group source, broken tag, VLAN not admitted, reserved destination, wrong member of a bond;
 *           what the protections of the port do not let in
 *   learn the source; look the destination up
 *   leave:  by the known port, or by every other port of the VLAN; a bond chooses one of its members, a
 *           patch port queues the frame for the bridge behind it
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "maps.h"
#include "frame.h"
#include "vlan.h"
#include "fdb.h"
#include "output.h"
#include "guard.h"
#include "bond.h"
#include "upcall.h"
#include "loops.h"
#include "control.h"
#include "bondcontrol.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* An enumeration is in the BTF only where something has it as its type. */
const volatile struct {
	enum jf_limit limit;
	enum jf_vlan_mode vlan_mode;
	enum jf_priority_tags priority_tags;
	enum jf_iface_kind iface_kind;
	enum jf_iface_flag iface_flag;
	enum jf_port_flag port_flag;
	enum jf_bridge_flag bridge_flag;
	enum jf_fdb_flag fdb_flag;
	enum jf_fdb_op fdb_op;
	enum jf_guard_flag guard_flag;
	enum jf_storm storm;
	enum jf_drop_reason drop_reason;
	enum jf_name_kind name_kind;
	enum jf_bond_mode bond_mode;
	enum jf_bond_flag bond_flag;
	enum jf_bond_lacp bond_lacp;
	enum jf_bond_hash bond_hash;
	enum jf_bond_verdict bond_verdict;
	enum jf_bond_op bond_op;
	enum jf_bond_field_flag bond_field_flag;
	enum jf_upcall_kind upcall_kind;
	enum jf_disabled_by disabled_by;
} jf_enumerations = {};

/* A frame about to enter a bridge by a port. */
struct arrival {
	struct tag_stack tags;
	__u16 iface;
	__u16 port;
	__u32 hops; /* bridges passed, this one included */
};

struct crossings {
	struct arrival queue[JF_MAX_PATCH_QUEUE];
	__u32 count;
};

/* Too large for the stack. Nothing else runs on the CPU while a frame passes. */
JF_MAP(jf_crossings, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct crossings, 1);

/* What the bridge decided of a frame, for each of its outputs. */
struct visit {
	struct pass *pass;
	const struct arrival *arrival;
	const struct jf_port *in_port;
	struct known_tags known;
	struct inside_tags inside;
	__u32 first_cell;
	__u32 has_destination;
};

static __always_inline int is_group(const __u8 *mac)
{
	return mac[0] & 1;
}

/* Three bytes of an address as a number. */
static __always_inline __u32 three_bytes(const __u8 *bytes)
{
	return (__u32)bytes[0] << 16 | (__u32)bytes[1] << 8 | bytes[2];
}

enum address_use { FOR_STATIONS, FOR_LINK_PROTOCOLS, FOR_PROBES };

/* What a group address is for. Those of link protocols: ovs-vswitchd.conf.db(5), Bridge
 * other_config:forward-bpdu. */
__noinline int address_use(__u32 vendor, __u32 rest)
{
	switch (vendor) {
	case JF_PROBE_VENDOR:
		return is_own_probe(rest) ? FOR_PROBES : FOR_STATIONS;
	case 0x0180c2: /* IEEE 802.1D */
		return rest < 0x10 ? FOR_LINK_PROTOCOLS : FOR_STATIONS;
	case 0x00e02b: /* Extreme: EDP, EAPS */
		return rest == 0 || rest == 4 || rest == 6 ? FOR_LINK_PROTOCOLS : FOR_STATIONS;
	case 0x01000c: /* Cisco: ISL, CDP, PVST+, uplink fast, CFM */
		return rest == 0 || rest == 0xcccccc || rest == 0xcccccd || rest == 0xcdcdcd ||
				       (rest >= 0xccccc0 && rest <= 0xccccc7) ?
			       FOR_LINK_PROTOCOLS :
			       FOR_STATIONS;
	}
	return FOR_STATIONS;
}

static __noinline int cross(struct visit *visit, const struct jf_iface *patch, __u32 patch_id,
			    const struct tag_stack *tags, __u32 vlan)
{
	const struct arrival *arrival = visit->arrival;
	struct pass *pass = visit->pass;
	struct crossings *crossings;
	struct jf_iface *peer;
	struct arrival *next;
	__u32 zero = 0, id, at;

	if (!patch || !tags)
		return 0;
	id = patch->peer;
	peer = id ? bpf_map_lookup_elem(&jf_ifaces, &id) : NULL;
	if (!peer || peer->kind != JF_IFACE_PATCH)
		return drop(pass, arrival->iface, JF_DROP_PATCH_NO_PEER, vlan);
	if (arrival->hops >= JF_MAX_HOPS)
		return drop(pass, arrival->iface, JF_DROP_TOO_MANY_HOPS, vlan);
	crossings = bpf_map_lookup_elem(&jf_crossings, &zero);
	if (!crossings)
		return 0;
	if (!pass->crossing)
		crossings->count = 0;
	pass->crossing = 1;
	at = crossings->count;
	if (at >= JF_MAX_PATCH_QUEUE)
		return drop(pass, arrival->iface, JF_DROP_PATCH_QUEUE_FULL, vlan);
	crossings->count = at + 1;
	next = &crossings->queue[at & (JF_MAX_PATCH_QUEUE - 1)];
	next->tags = *tags;
	next->iface = id;
	next->port = peer->port;
	next->hops = arrival->hops + 1;
	count_tx(patch_id, tagged_length(pass, tags));
	return 0;
}

/* Lets the frame leave its bridge by a port. */
static __always_inline void leave(struct visit *visit, const struct jf_port *port)
{
	const struct arrival *arrival = visit->arrival;
	struct pass *pass = visit->pass;
	__u32 vlan = TAG_VID(visit->inside.tag[0]);
	__u32 id = port->iface;
	struct tag_stack tags = {};
	struct jf_iface *iface;
	int reason;

	if (!stays_untagged(port, &arrival->tags, &visit->inside)) {
		reason = leave_vlan(port, &arrival->tags, &visit->known, &visit->inside, &tags);
		if (reason) {
			drop(pass, arrival->iface, reason, vlan);
			return;
		}
	}
	if (port->flags & JF_PORT_BOND) {
		id = leave_bond(pass, port->iface, &tags, vlan);
		if (!id) {
			drop(pass, arrival->iface, bond_refusal(port->iface), vlan);
			return;
		}
	}
	iface = bpf_map_lookup_elem(&jf_ifaces, &id);
	if (!iface)
		return;
	if (iface->kind == JF_IFACE_PATCH) {
		cross(visit, iface, id, &tags, vlan);
		return;
	}
	if (!iface->ifindex) {
		drop(pass, id, JF_DROP_PORT_DOWN, vlan);
		return;
	}
	if (!fits_mtu(pass, iface, &tags)) {
		drop(pass, id, JF_DROP_MTU_EXCEEDED, vlan);
		return;
	}
	if (pass->pending_iface)
		send_pending_copy(pass);
	pass->pending_iface = id;
	pass->pending_vlan = vlan;
	pass->pending = tags;
	/* A far end that has just come up is reached before its pair's queue is. */
	if (iface->flags & JF_IFACE_DOWN && !is_to_far_end(pass, iface))
		send_pending_copy(pass);
}

static int flood_step(__u32 at, void *context)
{
	struct visit *visit = context;
	const struct jf_port *port;
	struct jf_flood_cell *cell;
	__u32 id;

	at += visit->first_cell;
	cell = bpf_map_lookup_elem(&jf_flood_cells, &at);
	if (!cell)
		return 1;
	id = cell->port;
	if (id == visit->arrival->port)
		return 0;
	port = bpf_map_lookup_elem(&jf_ports, &id);
	if (!port || port->bridge != visit->in_port->bridge || !includes_vlan(port, id, &visit->inside))
		return 0;
	if (visit->in_port->flags & port->flags & JF_PORT_PROTECTED)
		return 0;
	visit->has_destination = 1;
	leave(visit, port);
	return 0;
}

static __noinline int flood(struct visit *visit, __u32 bridge)
{
	struct jf_flood_key key = { .bridge = bridge, .vlan = TAG_VID(visit->inside.tag[0]) };
	struct jf_flood_list *list = bpf_map_lookup_elem(&jf_flood_lists, &key);
	__u32 vlan = key.vlan;

	if (!list) {
		key.vlan = JF_ANY_VLAN;
		list = bpf_map_lookup_elem(&jf_flood_lists, &key);
	}
	if (list) {
		struct jf_flood_list range = *list;

		visit->first_cell = range.start;
		bpf_loop(range.count, flood_step, visit, 0);
	}
	if (!visit->has_destination)
		drop(visit->pass, visit->arrival->iface, JF_DROP_NO_DESTINATION, vlan);
	return 0;
}

/* Takes the frame through one bridge. */
static __always_inline void forward(struct pass *pass, const struct arrival *arrival, const struct jf_port *in_port,
				    const struct jf_bridge *bridge)
{
	struct visit visit = { .pass = pass, .arrival = arrival, .in_port = in_port };
	__u32 bridge_id = in_port->bridge, out;
	const struct jf_port *port;
	__u32 verdict = JF_BOND_VERDICT_TAKE;
	int reason, guarded = 0;
	__u16 vlan;

	know_tags(&arrival->tags, bridge->vlan_limit, &visit.known);
	reason = refuse_vlan(in_port, arrival->port, TAG_VID(visit.known.tag[0]));
	enter_vlan(in_port, &visit.known, &visit.inside);
	vlan = TAG_VID(visit.inside.tag[0]);
	if (reason) {
		drop(pass, arrival->iface, reason, vlan);
		return;
	}
	if (is_group(pass->dst) || pass->dst[1] == 0xe0) {
		int use = address_use(three_bytes(pass->dst), three_bytes(pass->dst + 3));

		if (use == FOR_PROBES) {
			hand_up(pass->skb, arrival->iface, JF_UPCALL_PROBE, vlan, pass->now_ns);
			return;
		}
		if (use == FOR_LINK_PROTOCOLS && !(bridge->flags & JF_BRIDGE_FORWARD_BPDU)) {
			drop(pass, arrival->iface, JF_DROP_RESERVED_DESTINATION, vlan);
			return;
		}
	}

	if (in_port->flags & JF_PORT_BOND) {
		verdict = enter_bond(in_port->iface, pass->member, is_group(pass->dst));
		if (verdict < JF_BOND_VERDICT_UNLESS_MOVED) {
			drop(pass, arrival->iface, verdict ? verdict : JF_DROP_BOND_INACTIVE_MEMBER, vlan);
			return;
		}
	}

	if (in_port->flags & JF_PORT_GUARDED) {
		describe_subject(pass, bridge, bridge_id, vlan, arrival->port);
		guarded = guard_frame(pass->skb);
		if (guarded > 0) {
			drop(pass, arrival->iface, guarded, vlan);
			return;
		}
	}

	out = 0;
	if (is_learnable(bridge, bridge_id, vlan)) {
		reason = fdb_learn(pass, bridge, bridge_id, vlan, arrival->port, in_port,
				   verdict == JF_BOND_VERDICT_UNLESS_MOVED, guarded != JF_GUARD_UNLEARNED);
		if (reason) {
			drop(pass, arrival->iface, reason, vlan);
			return;
		}
		if (!is_group(pass->dst))
			out = fdb_lookup(pass, bridge, bridge_id, vlan);
	}
	port = out ? bpf_map_lookup_elem(&jf_ports, &out) : NULL;
	if (!port || port->bridge != bridge_id) {
		flood(&visit, bridge_id);
	} else if (out == arrival->port) {
		drop(pass, arrival->iface, JF_DROP_SAME_PORT, vlan);
	} else if (in_port->flags & port->flags & JF_PORT_PROTECTED) {
		drop(pass, arrival->iface, JF_DROP_PROTECTED, vlan);
	} else {
		leave(&visit, port);
	}
}

/* A frame that came through a patch port enters the bridge behind it. */
static int cross_step(__u32 at, void *context)
{
	struct pass *pass = context;
	struct crossings *crossings;
	struct jf_bridge *bridge;
	struct jf_port *port;
	struct arrival *arrival;
	__u32 zero = 0, id;

	crossings = bpf_map_lookup_elem(&jf_crossings, &zero);
	if (!crossings || at >= crossings->count)
		return 1;
	arrival = &crossings->queue[at & (JF_MAX_PATCH_QUEUE - 1)];
	id = arrival->port;
	port = bpf_map_lookup_elem(&jf_ports, &id);
	count_rx(arrival->iface, tagged_length(pass, &arrival->tags));
	if (!port || !port->bridge) {
		drop(pass, arrival->iface, JF_DROP_PORT_DISABLED, 0);
		return 0;
	}
	id = port->bridge;
	bridge = bpf_map_lookup_elem(&jf_bridges, &id);
	if (!bridge)
		return 0;
	pass->unicast = 0;
	pass->source = 0;
	forward(pass, arrival, port, bridge);
	return 0;
}

static __noinline int pass_bridges(struct pass *pass, struct jf_ingress *ingress, struct jf_port *port,
				   struct jf_bridge *bridge)
{
	struct arrival arrival;

	if (!ingress || !port || !bridge)
		return 0;
	arrival.tags = pass->tags;
	arrival.iface = ingress->iface;
	arrival.port = ingress->port;
	arrival.hops = 1;
	forward(pass, &arrival, port, bridge);
	return 0;
}

/* Whether the frame is of a protocol between neighbours that LACP is one of (IEEE 802.3, 57A). */
static __noinline int is_slow_protocol(struct pass *pass)
{
	__u16 type;

	return !pass->tags.count && bpf_skb_load_bytes(pass->skb, ETH_HLEN - 2, &type, sizeof(type)) == 0 &&
	       type == bpf_htons(ETH_P_SLOW);
}

static __always_inline struct jf_ingress *find_ingress(__u32 ifindex)
{
	struct jf_ingress *ingress;

	if (ifindex >= JF_LOW_IFINDEX)
		return bpf_map_lookup_elem(&jf_ingress_high, &ifindex);
	ingress = bpf_map_lookup_elem(&jf_ingress_low, &ifindex);
	return ingress && ingress->iface ? ingress : NULL;
}

/* The port is disabled, or about to be taken away. */
static __noinline int refuse_disabled(struct __sk_buff *skb, __u32 iface)
{
	struct pass pass = { .skb = skb, .in_iface = iface };

	return drop(&pass, iface, JF_DROP_PORT_DISABLED, 0);
}

SEC("tc")
int jf_ingress_frame(struct __sk_buff *skb)
{
	struct pass pass = { .skb = skb };
	struct jf_ingress *ingress = find_ingress(skb->ifindex);
	struct jf_bridge *bridge;
	struct jf_port *port;
	int reason;
	__u32 id;

	if (!ingress)
		return JF_ACT_NOT_OURS;
	pass.number = count_rx(ingress->iface, skb->len + (skb->vlan_present ? VLAN_HLEN : 0));
	id = ingress->port;
	port = bpf_map_lookup_elem(&jf_ports, &id);
	if (!port || !port->bridge)
		return refuse_disabled(skb, ingress->iface);
	id = port->bridge;
	bridge = bpf_map_lookup_elem(&jf_bridges, &id);
	if (!bridge)
		return JF_ACT_DROP;

	pass.in_iface = ingress->iface;
	pass.member = ingress->member;
	pass.now_ns = current_time();
	pass.unicast = 1;
	reason = parse_frame(&pass);
	if (port->flags & JF_PORT_LACP && is_slow_protocol(&pass))
		return hand_up(skb, ingress->iface, JF_UPCALL_SLOW_PROTOCOL, 0, pass.now_ns);
	if (reason != JF_DROP_RUNT && is_group(pass.src))
		reason = JF_DROP_SOURCE_MULTICAST;
	if (reason)
		return drop(&pass, ingress->iface, reason, 0);

	pass_bridges(&pass, ingress, port, bridge);
	if (pass.crossing)
		bpf_loop(JF_MAX_PATCH_QUEUE, cross_step, &pass, 0);
	return send_pending(&pass);
}
