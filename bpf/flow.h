/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What was decided of a frame, remembered on each CPU, so that the next one like it takes the short way.
 *
 * Only plain decisions are kept: from a known address to a known one, out of one device, with at most one VLAN tag
 * taken off and one put on. Of a bond that deals out flows, the member is not kept, but that it is to be chosen. A kept
 * decision holds while nothing has changed that it was made from:
 *
 *   - the control plane's maps: it writes the time into jf_configured after every change;
 *   - bonds: whichever program changes one adds to jf_configured then;
 *   - where the two addresses are: whoever moves or removes one says so in jf_address_changes;
 *   - time: it ends when an address is to be stamped anew, or ages, or nobody watches the members of the bond.
 *
 * What holds is read before the maps are, so that a change made meanwhile ends the decision made from the old ones.
 */
#ifndef JF_FLOW_H
#define JF_FLOW_H

#include "bond.h"
#include "fdb.h"
#include "frame.h"
#include "maps.h"
#include "output.h"

#define JF_FLOWS 4096 /* on each CPU */
#define JF_FLOW_SHIFT 52
#define JF_FLOW_FACTOR 0x9e3779b97f4a7c15ULL

#define JF_FLOW_MISS -2 /* no verdict */

/* All of a frame that a plain decision depends on. */
struct flow_key {
	__u64 start; /* the destination and two bytes of the source */
	__u32 rest;  /* the other four */
	__u32 ifindex;
	__u32 beside; /* the tag that the kernel took out; 0: none */
	__u32 inside; /* the tag that stands in the bytes, as they are; 0: none */
};

enum flow_flag {
	FLOW_POP = 1,
	FLOW_PUSH = 2,
	FLOW_LOAD = 4, /* of a bucket of a bond is counted */
};

#define FLOW_WAYS 4 /* a power of two */
#define FLOW_NO_IFACE 0xffffffff

/* A member of a bond that flows are dealt to. */
struct flow_way {
	__u32 iface; /* FLOW_NO_IFACE: this one is free */
	__u32 ifindex;
	__u32 longest;
	__u32 zero;
};

struct flow {
	struct flow_key key;
	__u64 generation;
	__u64 next;  /* generation of the decision that may be kept here next */
	__u64 until; /* by flow_clock */
	__u32 ifindex;
	__u32 mtu;
	__u32 room;    /* for what a frame has beside the MTU */
	__u32 longest; /* frame that fits the MTU whatever it is, tags included; 0: it is to be looked into */
	__u32 push;    /* a tag */
	__u16 in_iface;
	__u16 iface;
	__u16 vlan;
	__u16 bond;
	__u8 bucket;
	__u8 flags; /* flow_flag */
	__u8 way;
	__u8 dealt;    /* the bond has a bucket for each flow: interface and device are the last frame's */
	__u32 samples; /* see is_sample */
	struct flow_way ways[FLOW_WAYS];
};

JF_MAP(jf_flows, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct flow, JF_FLOWS);

/* Nanoseconds of one step of flow_clock; set when the program is loaded. */
const volatile __u32 jf_tick_ns = 1000000;

/* The coarse clock in ticks, as the kernel keeps it: reading it takes no call. */
static __always_inline __u64 flow_clock(void)
{
	return jf_recording ? current_time() : bpf_jiffies64();
}

/* Reads a frame's key. Returns 0 when the frame is none that decisions are kept of. */
static __always_inline int read_flow_key(struct __sk_buff *skb, struct flow_key *key)
{
	__u8 *data = (__u8 *)(long)skb->data;
	__u8 *end = (__u8 *)(long)skb->data_end;
	__u16 type;

	if (data + ETH_HLEN > end)
		return 0;
	type = bpf_ntohs(*(__u16 *)(data + 12));
	if (type == ETH_P_SLOW)
		return 0; /* it may be for the control plane, whoever it is addressed to */
	key->start = *(__u64 *)data;
	key->rest = *(__u32 *)(data + 8);
	key->ifindex = skb->ifindex;
	key->beside = skb->vlan_present ? (__u32)bpf_ntohs(skb->vlan_proto) << 16 | (skb->vlan_tci & 0xffff) : 0;
	key->inside = 0;
	if (is_vlan_type(type)) {
		if (data + ETH_HLEN + VLAN_HLEN > end || is_vlan_type(bpf_ntohs(*(__u16 *)(data + 16))))
			return 0;
		key->inside = *(__u32 *)(data + 12);
	}
	return 1;
}

static __always_inline struct flow *flow_at(const struct flow_key *key)
{
	__u64 mixed = key->start ^ (__u64)key->rest << 32 ^ key->beside ^ key->inside;
	__u32 at = mixed * JF_FLOW_FACTOR >> JF_FLOW_SHIFT;

	return bpf_map_lookup_elem(&jf_flows, &at);
}

/* What has changed so far that concerns decisions about these addresses: it only grows. */
static __always_inline __u64 generation_of(const struct flow_key *key)
{
	__u16 destination_end = *((const __u16 *)&key->start + 2), source_end = *((const __u16 *)&key->rest + 1);
	__u32 zero = 0;
	__u64 *configured = bpf_map_lookup_elem(&jf_configured, &zero);
	struct jf_address_changes *changes = bpf_map_lookup_elem(&jf_address_changes, &zero);

	if (!configured || !changes)
		return 0;
	return *configured + changes->count[change_cell(source_end)] + changes->count[change_cell(destination_end)];
}

static __always_inline void count_kept(void)
{
	__u32 zero = 0;
	struct jf_recorder *recorder = bpf_map_lookup_elem(&jf_recorder, &zero);

	if (recorder)
		recorder->kept++;
}

static __always_inline int is_plain_way(const struct jf_iface *iface)
{
	return iface->ifindex && !(iface->flags & ~(JF_IFACE_FAR | JF_IFACE_PROMISCUOUS));
}

static __always_inline __u32 longest_of(const struct jf_iface *iface, __u32 room)
{
	return iface->mtu ? iface->mtu + room : 0xffffffff;
}

static __always_inline void sample_load(struct __sk_buff *skb, struct flow *flow)
{
	__u32 samples = flow->samples + JF_SAMPLE_STEP;

	flow->samples = samples;
	if (is_sample(samples))
		count_load(flow->bond, flow->bucket, skb->len);
}

/* Returns 0 when what the interface does with frames is not so plain. */
static __noinline int find_way(struct flow_way *way, __u32 id, __u32 room)
{
	struct jf_iface *iface = bpf_map_lookup_elem(&jf_ifaces, &id);

	if (!iface || !is_plain_way(iface))
		return 0;
	way->iface = id;
	way->ifindex = iface->ifindex;
	way->longest = longest_of(iface, room);
	return 1;
}

/* Notes in the decision by which member of its bond the frame leaves. Returns 0 when none is known to take it. */
static __always_inline int deal_flow(struct __sk_buff *skb, struct flow *flow, __u32 length)
{
	struct jf_bond *bond = find_bond(flow->bond);
	struct flow_way *way;
	struct flow *copy;
	int bucket;
	__u32 id;

	if (!bond)
		return 0;
	bucket = hash_common_flow(skb, flow->vlan, bond->factor);
	if (bucket < 0)
		bucket = hash_flow(skb, ETH_HLEN - 2 + (flow->key.inside ? VLAN_HLEN : 0), flow->vlan, bond->factor);
	bucket &= JF_BOND_BUCKETS - 1;
	flow->bucket = bucket;
	id = bond->ways[bucket];
	flow->iface = id;
	/* Or else the compiler works on the pointer itself, and keeps a copy of that on the stack. */
	asm volatile("%0 = %1" : "=r"(copy) : "r"(flow));
	way = &copy->ways[id & (FLOW_WAYS - 1)];
	if (way->iface != id && !find_way(way, id, flow->room))
		return 0;
	flow->ifindex = way->ifindex;
	if (length > way->longest) {
		flow->mtu = way->longest - flow->room;
		if (!segments_fit(skb, flow->mtu, flow->ifindex))
			return 0;
	}
	sample_load(skb, flow);
	return 1;
}

static __always_inline int edit_by_flow(struct __sk_buff *skb, const struct flow *flow)
{
	if (flow->flags & FLOW_POP && bpf_skb_vlan_pop(skb) < 0)
		return -1;
	if (!(flow->flags & FLOW_PUSH))
		return 0;
	return bpf_skb_vlan_push(skb, bpf_htons(TAG_TPID(flow->push)), TAG_TCI(flow->push));
}

/* Takes a frame the short way, if a decision about one like it holds. Returns the verdict or JF_FLOW_MISS. */
static __noinline int follow_flow(struct __sk_buff *skb)
{
	struct flow_key key;
	__u64 generation;
	struct flow *flow;
	__u32 length;

	if (!read_flow_key(skb, &key))
		return JF_FLOW_MISS;
	generation = generation_of(&key);
	flow = flow_at(&key);
	if (!flow)
		return JF_FLOW_MISS;
	if (flow->key.start != key.start || flow->key.rest != key.rest || flow->key.ifindex != key.ifindex ||
	    flow->key.beside != key.beside || flow->key.inside != key.inside || flow->generation != generation ||
	    (__s64)(flow_clock() - flow->until) >= 0) {
		flow->next = generation;
		return JF_FLOW_MISS;
	}
	length = skb->len + (key.beside ? VLAN_HLEN : 0);
	if (length > flow->longest) {
		if (!(flow->dealt ? deal_flow(skb, flow, length) : segments_fit(skb, flow->mtu, flow->ifindex)))
			return JF_FLOW_MISS;
	}
	count_rx(flow->in_iface, length);
	if (flow->flags) {
		if (flow->flags & FLOW_LOAD)
			sample_load(skb, flow);
		if (flow->flags & (FLOW_POP | FLOW_PUSH)) {
			if (edit_by_flow(skb, flow) < 0)
				return end_frame(skb, flow->in_iface, flow->iface, JF_DROP_VLAN_EDIT_FAILED,
						 flow->vlan);
			length += (flow->flags & FLOW_PUSH ? VLAN_HLEN : 0) - (flow->flags & FLOW_POP ? VLAN_HLEN : 0);
		}
	}
	count_tx(flow->iface, length);
	if (jf_recording) {
		count_kept();
		decide(skb, flow->in_iface, flow->iface, JF_DROP_NONE, flow->vlan);
		return JF_ACT_DROP;
	}
	return deliver(skb, flow->ifindex, flow->way);
}

/* Keeps the decision that the frame, which has not been changed yet, leaves by `iface` as pending. */
static __noinline int keep_flow(struct __sk_buff *skb, struct pass *pass, struct jf_iface *iface)
{
	const struct tag_stack *have = &pass->tags, *want = &pass->pending;
	struct flow_key key;
	struct flow *flow;
	__u32 common = 0;
	int i;

	if (!iface || !is_plain_way(iface) || !read_flow_key(skb, &key))
		return 0;
	flow = flow_at(&key);
	if (!flow)
		return 0;
#pragma unroll
	for (i = 0; i < JF_MAX_TAGS; i++)
		if (common == i && i < have->count && i < want->count && have->tag[i] == want->tag[i])
			common = i + 1;
	if (have->count > common + 1 || want->count > common + 1)
		return 0;
	flow->key = key;
	flow->generation = flow->next;
	flow->until = flow_clock() + (pass->until_ns - pass->now_ns) / jf_tick_ns;
	flow->ifindex = iface->ifindex;
	flow->mtu = iface->mtu;
	flow->room = room_for_header(want->count) + (have->count - want->count) * VLAN_HLEN;
	flow->longest = longest_of(iface, flow->room);
	flow->flags = (have->count > common ? FLOW_POP : 0) | (want->count > common ? FLOW_PUSH : 0);
	flow->push = outer_tag(want);
	flow->in_iface = pass->in_iface;
	flow->iface = pass->pending_iface;
	flow->vlan = pass->pending_vlan;
	flow->way = way_of(pass, iface);
	flow->bond = pass->bond;
	flow->bucket = pass->bucket;
	flow->dealt = 0;
	if (!pass->bond)
		return 0;
	flow->samples = pass->number * JF_SAMPLE_STEP;
	if (pass->bond_hash != JF_BOND_HASH_FLOW) {
		flow->flags |= FLOW_LOAD;
		return 0;
	}
	flow->dealt = 1;
	flow->longest = 0;
	flow->way = WAY_OUT;
#pragma unroll
	for (i = 0; i < FLOW_WAYS; i++)
		flow->ways[i].iface = FLOW_NO_IFACE;
	return 0;
}

/* Sends the frame itself by the output noted last. Returns the program's verdict. */
static __always_inline int send_pending(struct __sk_buff *skb, struct pass *pass)
{
	__u32 id = pass->pending_iface;
	struct jf_iface *iface;

	if (!id)
		return JF_ACT_DROP;
	iface = bpf_map_lookup_elem(&jf_ifaces, &id);
	if (!iface)
		return JF_ACT_DROP;
	if (pass->until_ns && pass->arrivals == 1)
		keep_flow(skb, pass, iface);
	if (!same_tags(&pass->tags, &pass->pending) && edit_tags(skb, &pass->tags, &pass->pending) < 0)
		return drop(skb, pass, id, JF_DROP_VLAN_EDIT_FAILED, pass->pending_vlan);
	count_tx(id, tagged_length(pass, &pass->pending));
	if (jf_recording) {
		decide(skb, pass->in_iface, id, JF_DROP_NONE, pass->pending_vlan);
		return JF_ACT_DROP;
	}
	return deliver(skb, iface->ifindex, way_of(pass, iface));
}

#endif
