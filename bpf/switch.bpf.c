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
#include "pass.h"
#include "vlan.h"
#include "fdb.h"
#include "output.h"
#include "binding.h"
#include "bpdu.h"
#include "guard.h"
#include "damping.h"
#include "flow.h"
#include "unwatched.h"
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

/* What a bridge is to do with a frame, for each of its outputs. */
struct visit {
	struct __sk_buff *skb;
	struct pass *pass;
	const struct arrival *arrival;
	const struct jf_port *in_port;
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
	struct __sk_buff *skb = visit->skb;
	struct pass *pass = visit->pass;
	struct jf_iface *peer;
	struct arrival *next;
	__u32 id, at;

	if (!patch || !tags)
		return 0;
	id = patch->peer;
	peer = id ? bpf_map_lookup_elem(&jf_ifaces, &id) : NULL;
	if (!peer || peer->kind != JF_IFACE_PATCH)
		return drop(skb, pass, arrival->iface, JF_DROP_PATCH_NO_PEER, vlan);
	if (arrival->hops >= JF_MAX_HOPS)
		return drop(skb, pass, arrival->iface, JF_DROP_TOO_MANY_HOPS, vlan);
	at = pass->arrivals;
	if (at > JF_MAX_PATCH_QUEUE)
		return drop(skb, pass, arrival->iface, JF_DROP_PATCH_QUEUE_FULL, vlan);
	pass->arrivals = at + 1;
	next = &pass->queue[at & (JF_ARRIVALS - 1)];
	next->tags = *tags;
	next->iface = id;
	next->port = peer->port;
	next->hops = arrival->hops + 1;
	count_tx(patch_id, tagged_length(pass, tags));
	return 0;
}

/* Lets the frame leave by a bond without a way for it, or whose members nobody watches: see leave_bond. */
static __noinline int leave_otherwise(struct visit *visit, __u32 bond_id, int way, const struct tag_stack *tags)
{
	struct __sk_buff *skb = visit->skb;
	struct pass *pass = visit->pass;
	__u32 in_iface = visit->arrival->iface, vlan = TAG_VID(pass->inside.tag[0]);
	int reason;

	if (!tags)
		return 0;
	if (!way)
		return drop(skb, pass, in_iface, bond_refusal(bond_id), vlan);
	if (pass->pending_iface)
		send_pending_copy(skb, pass);
	if (edit_tags(skb, &pass->tags, tags) < 0)
		return drop(skb, pass, in_iface, JF_DROP_VLAN_EDIT_FAILED, vlan);
	pass->sending = 1;
	reason = send_unwatched(skb, bond_id, ~way, tagged_length(pass, tags));
	pass->sending = 0;
	return reason ? drop(skb, pass, in_iface, reason, vlan) : 0;
}

/* Lets the frame leave its bridge by a port. */
static __always_inline void leave(struct visit *visit, const struct jf_port *port)
{
	const struct arrival *arrival = visit->arrival;
	struct __sk_buff *skb = visit->skb;
	struct pass *pass = visit->pass;
	__u32 vlan = TAG_VID(pass->inside.tag[0]);
	__u32 id = port->iface;
	struct tag_stack *tags = &pass->leaving;
	struct jf_iface *iface;
	int reason;

	tags->count = 0;
	if (!stays_untagged(port, &arrival->tags, &pass->inside)) {
		reason = leave_vlan(port, &arrival->tags, &pass->known, &pass->inside, tags);
		if (reason) {
			drop(skb, pass, arrival->iface, reason, vlan);
			return;
		}
	}
	if (port->flags & JF_PORT_BOND) {
		struct jf_bond *bond = bpf_map_lookup_elem(&jf_bonds, &id);

		if (!bond)
			return;
		id = leave_bond(skb, pass, bond, id, tags, vlan);
	}
	iface = bpf_map_lookup_elem(&jf_ifaces, &id);
	if (!iface) {
		if (port->flags & JF_PORT_BOND)
			leave_otherwise(visit, port->iface, id, tags);
		return;
	}
	if (iface->kind == JF_IFACE_PATCH) {
		cross(visit, iface, id, tags, vlan);
		return;
	}
	if (!iface->ifindex) {
		if (id)
			drop(skb, pass, id, JF_DROP_PORT_DOWN, vlan);
		else
			leave_otherwise(visit, port->iface, id, tags);
		return;
	}
	if (!fits_mtu(skb, pass, iface, tags)) {
		drop(skb, pass, id, JF_DROP_MTU_EXCEEDED, vlan);
		return;
	}
	if (pass->pending_iface)
		send_pending_copy(skb, pass);
	pass->pending_iface = id;
	pass->pending_vlan = vlan;
	pass->pending = *tags;
	/* A far end that has just come up is reached before its pair's queue is. */
	if (iface->flags & JF_IFACE_DOWN && !is_to_far_end(pass, iface))
		send_pending_copy(skb, pass);
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
	if (!port || port->bridge != visit->in_port->bridge || !includes_vlan(port, id, &visit->pass->inside))
		return 0;
	if (visit->in_port->flags & port->flags & JF_PORT_PROTECTED)
		return 0;
	visit->has_destination = 1;
	leave(visit, port);
	return 0;
}

static __noinline int flood(struct visit *visit, __u32 bridge)
{
	struct jf_flood_key key = { .bridge = bridge, .vlan = TAG_VID(visit->pass->inside.tag[0]) };
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
		drop(visit->skb, visit->pass, visit->arrival->iface, JF_DROP_NO_DESTINATION, vlan);
	return 0;
}

/* Whether what becomes of a frame between two ports follows from its addresses and tags, and the bucket of its flow, as
 * long as nothing is configured or learned anew. */
static __always_inline int is_plain(const struct jf_bridge *bridge, const struct jf_port *from, const struct jf_port *to)
{
	__u32 plain = JF_PORT_PROTECTED | JF_PORT_SOME_VLANS | JF_PORT_SOME_CVLANS | JF_PORT_BOND | JF_PORT_LACP |
		      JF_PORT_DAMPED;

	return !(bridge->flags & ~(JF_BRIDGE_FORWARD_BPDU | JF_BRIDGE_FLOOD_VLANS | JF_BRIDGE_BONDED)) &&
	       !(from->flags & ~plain) && !(to->flags & ~(plain | JF_PORT_GUARDED));
}

/* Takes the frame through one bridge, which it enters as the arrival of that number. */
__noinline int forward(struct __sk_buff *skb, __u32 at)
{
	const struct jf_port *in_port, *port;
	struct pass *pass = this_pass();
	const struct jf_bridge *bridge;
	const struct arrival *arrival;
	__u32 verdict = JF_BOND_VERDICT_TAKE;
	int reason, guarded = 0;
	__u32 id, bridge_id, out;
	struct visit visit;
	__u16 vlan;

	if (!pass)
		return 0;
	arrival = &pass->queue[at & (JF_ARRIVALS - 1)];
	id = arrival->port;
	in_port = bpf_map_lookup_elem(&jf_ports, &id);
	if (!in_port || !in_port->bridge)
		return drop(skb, pass, arrival->iface, JF_DROP_PORT_DISABLED, 0);
	bridge_id = in_port->bridge;
	bridge = bpf_map_lookup_elem(&jf_bridges, &bridge_id);
	if (!bridge)
		return 0;
	pass->bridge = bridge_id;
	know_tags(&arrival->tags, bridge->vlan_limit, &pass->known);
	reason = refuse_vlan(in_port, arrival->port, TAG_VID(pass->known.tag[0]));
	enter_vlan(in_port, &pass->known, &pass->inside);
	vlan = TAG_VID(pass->inside.tag[0]);
	if (reason)
		return drop(skb, pass, arrival->iface, reason, vlan);
	if (is_group(pass->dst) || pass->dst[1] == 0xe0) {
		int use = address_use(three_bytes(pass->dst), three_bytes(pass->dst + 3));

		if (use == FOR_PROBES)
			return hand_up(skb, arrival->iface, JF_UPCALL_PROBE, vlan, pass->now_ns);
		if (use == FOR_LINK_PROTOCOLS && !(bridge->flags & JF_BRIDGE_FORWARD_BPDU))
			return drop(skb, pass, arrival->iface, JF_DROP_RESERVED_DESTINATION, vlan);
	}

	if (in_port->flags & JF_PORT_BOND) {
		verdict = enter_bond(in_port->iface, pass->member, is_group(pass->dst));
		if (verdict < JF_BOND_VERDICT_UNLESS_MOVED)
			return refuse_member(skb, pass, arrival->iface, in_port->iface, verdict, vlan);
	}

	if (in_port->flags & (JF_PORT_GUARDED | JF_PORT_DAMPED)) {
		guarded = judge(skb, pass, bridge, vlan, arrival->port, in_port);
		if (guarded > 0)
			return drop(skb, pass, arrival->iface, guarded, vlan);
	}

	out = 0;
	if (is_learnable(bridge, bridge_id, vlan)) {
		reason = fdb_learn(skb, pass, bridge, bridge_id, vlan, arrival->port, in_port,
				   verdict == JF_BOND_VERDICT_UNLESS_MOVED, guarded != JF_GUARD_UNLEARNED);
		if (reason)
			return drop(skb, pass, arrival->iface, reason, vlan);
		if (!is_group(pass->dst))
			out = fdb_lookup(pass, bridge, bridge_id, vlan);
	}
	port = out ? bpf_map_lookup_elem(&jf_ports, &out) : NULL;
	if (!port || !is_plain(bridge, in_port, port))
		pass->until_ns = 0;
	visit = (struct visit){ .skb = skb, .pass = pass, .arrival = arrival, .in_port = in_port };
	if (!port || port->bridge != bridge_id) {
		flood(&visit, bridge_id);
	} else if (out == arrival->port) {
		drop(skb, pass, arrival->iface, JF_DROP_SAME_PORT, vlan);
	} else if (in_port->flags & port->flags & JF_PORT_PROTECTED) {
		drop(skb, pass, arrival->iface, JF_DROP_PROTECTED, vlan);
	} else {
		leave(&visit, port);
	}
	return 0;
}

/* A frame that came through a patch port enters the bridge behind it. */
static __always_inline void cross_over(struct __sk_buff *skb, struct pass *pass, __u32 at)
{
	const struct arrival *arrival = &pass->queue[at & (JF_ARRIVALS - 1)];

	count_rx(arrival->iface, tagged_length(pass, &arrival->tags));
	pass->unicast = 0;
	pass->source = 0;
	forward(skb, at);
}

static __always_inline struct jf_ingress *find_ingress(__u32 ifindex)
{
	struct jf_ingress *ingress;

	if (ifindex >= JF_LOW_IFINDEX)
		return bpf_map_lookup_elem(&jf_ingress_high, &ifindex);
	ingress = bpf_map_lookup_elem(&jf_ingress_low, &ifindex);
	return ingress && ingress->iface ? ingress : NULL;
}

/* Decides about a frame by all that is configured and learned. Returns the verdict. */
static __always_inline int pass_frame(struct __sk_buff *skb)
{
	struct jf_ingress *ingress = find_ingress(skb->ifindex);
	struct pass *pass = this_pass();
	struct jf_port *port;
	__u32 id, number, at;
	int reason;

	if (!ingress)
		return JF_ACT_NOT_OURS;
	number = count_rx(ingress->iface, skb->len + (skb->vlan_present ? VLAN_HLEN : 0));
	id = ingress->port;
	port = bpf_map_lookup_elem(&jf_ports, &id);
	if (!port || !port->bridge)
		return end_frame(skb, ingress->iface, ingress->iface, JF_DROP_PORT_DISABLED, 0);
	if (!pass)
		return end_frame(skb, ingress->iface, ingress->iface, JF_DROP_SEND_FAILED, 0);
	pass->now_ns = current_time();
	pass->until_ns = 0;
	pass->tags.count = 0;
	pass->in_iface = ingress->iface;
	pass->pending_iface = 0;
	pass->payload_tagged = 0;
	pass->unicast = 1;
	pass->member = ingress->member;
	pass->samples = number * JF_SAMPLE_STEP;
	pass->source = 0;
	pass->deal = DEAL_NONE;
	pass->arrivals = 1;
	reason = parse_frame(skb, pass);
	if (port->flags & (JF_PORT_LACP | JF_PORT_GUARDED)) {
		if (port->flags & JF_PORT_LACP && is_slow_protocol(skb, pass))
			return hand_up(skb, ingress->iface, JF_UPCALL_SLOW_PROTOCOL, 0, pass->now_ns);
		if (port->flags & JF_PORT_GUARDED && guard_from_bpdus(skb, id, ingress->iface, pass->now_ns, type_offset(skb, pass)))
			return drop(skb, pass, ingress->iface, JF_DROP_BPDU_GUARD, 0);
	}
	if (reason != JF_DROP_RUNT && is_group(pass->src))
		reason = JF_DROP_SOURCE_MULTICAST;
	if (reason)
		return drop(skb, pass, ingress->iface, reason, 0);

	pass->queue[0].tags = pass->tags;
	pass->queue[0].iface = ingress->iface;
	pass->queue[0].port = ingress->port;
	pass->queue[0].hops = 1;
	forward(skb, 0);
	for (at = 1; at <= JF_MAX_PATCH_QUEUE && at < pass->arrivals; at++)
		cross_over(skb, pass, at);
	return send_pending(skb, pass);
}

SEC("tc")
int jf_ingress_frame(struct __sk_buff *skb)
{
	int verdict = follow_flow(skb);

	if (verdict == JF_FLOW_MISS)
		verdict = pass_frame(skb);
	/* Inside a netkit pair, a drop is an error to the sender, who is not to know of what the switch refuses, nor of a
	 * frame of which only copies left: to the sender all that is sent has been sent, and to no device ends it here. */
	return verdict == JF_ACT_DROP && !is_at_ingress(skb) ? bpf_redirect(0, 0) : verdict;
}
