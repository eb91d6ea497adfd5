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
	/* Of Ethernet, as it stands in the bytes; where that is a tag's, all of the tag. Above it, the tag that the kernel
	 * took out; 0: none. */
	__u64 type;
};

enum flow_flag {
	FLOW_POP = 1,
	FLOW_PUSH = 2,
};

#define FLOW_WAYS 4 /* a power of two */
#define FLOW_NO_IFACE 0xffffffff

/* A way out: the only one, or the one by a member of a bond that flows are dealt to. */
struct flow_way {
	__u32 iface; /* FLOW_NO_IFACE: this one is free */
	__u32 ifindex;
	__u32 longest; /* frame that fits the MTU whatever it is, tags included */
	__u32 kind;    /* enum way */
};

struct flow {
	struct flow_key key;
	__u64 generation;
	__u64 next;     /* generation of the decision that may be kept here next */
	__u64 until;    /* by flow_clock */
	__u64 factor;   /* see flow_bucket */
	__u64 stations; /* see flow_bucket */
	__u32 in_iface;
	__u32 in_tag; /* bytes of the tag that the kernel took out */
	__u32 bond;
	__u32 first_way; /* of the bond in jf_ways */
	__u32 longest; /* frame about which nothing more is to be found out: no bond deals it out, and it fits the MTU */
	__u32 room;    /* for what a frame has beside the MTU */
	__u32 push;    /* a tag */
	__u32 samples; /* see is_sample */
	__u16 vlan;
	__u8 bucket; /* the last frame's */
	__u8 flags;  /* flow_flag */
	__u8 deal;   /* enum deal */
	__u8 type_at; /* where the type of the payload stands */
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
	key->start = *(__u64 *)data;
	key->rest = *(__u32 *)(data + 8);
	key->ifindex = skb->ifindex;
	key->type = *(__u16 *)(data + 12);
	if (skb->vlan_present)
		key->type |= (__u64)((__u32)bpf_ntohs(skb->vlan_proto) << 16 | (skb->vlan_tci & 0xffff)) << 32;
	if (data[12] < ETH_P_8021Q >> 8)
		return 1; /* most are: what follows is about higher numbers */
	type = bpf_ntohs(*(__u16 *)(data + 12));
	if (type == ETH_P_SLOW)
		return 0; /* it may be for the control plane, whoever it is addressed to */
	if (is_vlan_type(type)) {
		if (data + ETH_HLEN + VLAN_HLEN > end || is_vlan_type(bpf_ntohs(*(__u16 *)(data + 16))))
			return 0;
		key->type |= *(__u32 *)(data + 12);
	}
	return 1;
}

static __always_inline struct flow *flow_at(const struct flow_key *key)
{
	__u64 mixed = key->start ^ (__u64)key->rest << 32 ^ key->type;
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

/* Returns 0 when what the interface does with frames is not so plain. */
static __noinline int find_way(struct flow_way *way, __u32 id, __u32 room)
{
	struct jf_iface *iface = bpf_map_lookup_elem(&jf_ifaces, &id);

	if (!iface || !is_plain_way(iface))
		return 0;
	way->iface = id;
	way->ifindex = iface->ifindex;
	way->longest = longest_of(iface, room);
	way->kind = WAY_OUT;
	return 1;
}

/* The bucket of the frame, if it is one of those that most are; else -1. The longer way is asked about first. */
static __always_inline int common_bucket(const struct __sk_buff *skb, const struct flow *flow, __u32 deal)
{
	const __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;

	if (deal == DEAL_IPV6)
		return data + JF_IPV6_PORTS_END > end ? -1 : hash_ipv6_flow(data, flow->stations, flow->factor);
	asm volatile(""); /* in this order */
	if (deal == DEAL_IPV4)
		return data + JF_IPV4_PORTS_END > end ? -1 : hash_ipv4_flow(data, flow->stations, flow->factor);
	asm volatile("");
	return -1;
}

/* The compiler is not to know that this is part of the decision, or else it works on pointers to parts of that, and
 * keeps copies of them on the stack. */
static __always_inline struct flow_way *way_at(struct flow *flow, __u32 at)
{
	struct flow *copy;

	asm volatile("%0 = %1" : "=r"(copy) : "r"(flow));
	return &copy->ways[at & (FLOW_WAYS - 1)];
}

/* The way of a frame that is long or leaves by a bond that deals frames out. None when it is not known that the member
 * takes it. */
static __always_inline struct flow_way *deal_flow(struct __sk_buff *skb, struct flow *flow, struct flow_way *way)
{
	__u32 deal = flow->deal, samples, id;
	int bucket = common_bucket(skb, flow, deal);

	if (bucket < 0) {
		if (deal == DEAL_NONE)
			return way;
		if (deal == DEAL_SOURCE)
			goto sample;
		bucket = hash_flow(skb, flow->type_at, flow->vlan, flow->factor) & (JF_BOND_BUCKETS - 1);
	}
	flow->bucket = bucket;
	id = jf_ways.iface[(flow->first_way + bucket) & (JF_WAYS - 1)];
	way = way_at(flow, id);
	if (way->iface != id && !find_way(way, id, flow->room))
		return NULL;
sample:
	samples = flow->samples + JF_SAMPLE_STEP;
	flow->samples = samples;
	if (is_sample(samples))
		count_load(flow->bond, flow->bucket, skb->len);
	return way;
}

static __always_inline int edit_by_flow(struct __sk_buff *skb, const struct flow *flow)
{
	if (flow->flags & FLOW_POP && bpf_skb_vlan_pop(skb) < 0)
		return -1;
	if (!(flow->flags & FLOW_PUSH))
		return 0;
	return bpf_skb_vlan_push(skb, bpf_htons(TAG_TPID(flow->push)), TAG_TCI(flow->push));
}

/* Whether the decision is about frames with this key, and still holds. */
static __always_inline int holds(const struct __sk_buff *skb, const struct flow *flow, const struct flow_key *key,
				 __u64 generation)
{
	return flow->key.start == key->start && flow->key.rest == key->rest && flow->key.ifindex == skb->ifindex &&
	       flow->key.type == key->type && flow->generation == generation &&
	       (__s64)(flow_clock() - flow->until) < 0;
}

/* Takes a frame the short way, if a decision about one like it holds. Returns the verdict or JF_FLOW_MISS. */
static __always_inline int follow_flow(struct __sk_buff *skb)
{
	struct flow_key key;
	struct flow_way *way;
	__u64 generation;
	struct flow *flow;
	__u32 length;

	if (!read_flow_key(skb, &key))
		return JF_FLOW_MISS;
	generation = generation_of(&key);
	flow = flow_at(&key);
	if (!flow)
		return JF_FLOW_MISS;
	if (!holds(skb, flow, &key, generation)) {
		flow->next = generation;
		return JF_FLOW_MISS;
	}
	length = skb->len + flow->in_tag;
	way = way_at(flow, 0);
	if (length > flow->longest) {
		way = deal_flow(skb, flow, way);
		if (!way)
			return JF_FLOW_MISS;
		if (length > way->longest && !segments_fit(skb, way->longest - flow->room, way->ifindex))
			return JF_FLOW_MISS;
	}
	count_rx_of(&flow->in_iface, length);
	if (flow->flags) {
		if (edit_by_flow(skb, flow) < 0)
			return end_frame(skb, flow->in_iface, way->iface, JF_DROP_VLAN_EDIT_FAILED, flow->vlan);
		length += (flow->flags & FLOW_PUSH ? VLAN_HLEN : 0) - (flow->flags & FLOW_POP ? VLAN_HLEN : 0);
	}
	count_tx_of(&way->iface, length);
	if (jf_recording) {
		count_kept();
		decide(skb, flow->in_iface, way->iface, JF_DROP_NONE, flow->vlan);
		return JF_ACT_DROP;
	}
	return send_to(skb, way->ifindex, way->kind);
}

/* The source and two bytes of the destination, see stations_of. */
static __always_inline __u64 stations_of_key(const struct flow_key *key)
{
	const struct flow_key *copy;

	asm volatile("%0 = %1" : "=r"(copy) : "r"(key)); /* or else they are put together from both parts */
	return *(const __u64 *)((const __u8 *)copy + 4);
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
	flow->room = room_for_header(want->count) + (have->count - want->count) * VLAN_HLEN;
	flow->flags = (have->count > common ? FLOW_POP : 0) | (want->count > common ? FLOW_PUSH : 0);
	flow->push = outer_tag(want);
	flow->in_iface = pass->in_iface;
	flow->in_tag = key.type >> 32 ? VLAN_HLEN : 0;
	flow->vlan = pass->pending_vlan;
	flow->bond = pass->bond;
	flow->first_way = pass->bond * JF_BOND_BUCKETS;
	flow->deal = pass->deal;
	flow->type_at = type_offset(skb, pass);
	flow->longest = 0;
	if (flow->deal <= DEAL_SOURCE) {
		flow->ways[0].iface = pass->pending_iface;
		flow->ways[0].ifindex = iface->ifindex;
		flow->ways[0].longest = longest_of(iface, flow->room);
		flow->ways[0].kind = way_here(skb, way_of(pass, iface));
		if (!flow->deal)
			flow->longest = flow->ways[0].longest;
	} else {
		flow->factor = pass->factor;
		flow->stations = stations_of_key(&flow->key) + flow->vlan;
#pragma unroll
		for (i = 0; i < FLOW_WAYS; i++)
			flow->ways[i].iface = FLOW_NO_IFACE;
	}
	flow->bucket = pass->bucket;
	flow->samples = pass->samples;
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
