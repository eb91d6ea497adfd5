/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bonds: which member a frame leaves by, and whether one that came in by a member is taken, as
 * ovs-vswitchd.conf.db(5) has it in table Port, "Bonding Configuration".
 */
#ifndef JF_BOND_H
#define JF_BOND_H

#include "bondhash.h"
#include "bondstate.h"
#include "frame.h"
#include "maps.h"
#include "output.h"

/* How the frames of a decision are dealt to a bond's members. */
enum deal {
	DEAL_NONE = 0, /* they leave by no bond, or by one that deals nothing out */
	DEAL_SOURCE,   /* all by one member: it depends on nothing but the source */
	DEAL_IPV4,     /* each by the member for its ports */
	DEAL_IPV6,
	DEAL_OTHER,
};

/* The bucket of the frame's source on a bond that deals by `hash`, which it leaves with these tags; `inside` is its VLAN in
 * the bridge. */
static __always_inline __u32 source_bucket(struct pass *pass, const struct jf_bond *bond, __u32 hash,
					   const struct tag_stack *tags, __u32 inside)
{
	__u32 known = hash == JF_BOND_HASH_SOURCE ? pass->source : 0, count = tags->count, vlan;

	if (known & JF_FDB_HASHED) {
		if (!count)
			return ENTRY_BUCKET_UNTAGGED(known);
		asm volatile(""); /* in this order */
		if (TAG_VID(outer_tag(tags)) == inside)
			return ENTRY_BUCKET(known);
	}
	vlan = TAG_VID(outer_tag(tags));
	return hash_source(source_number(pass->src), vlan, bond->basis) & (JF_BOND_BUCKETS - 1);
}

/* Whether a frame is one of those whose length is counted. Multiples of the golden ratio have no rhythm in common with
 * the traffic. */
#define JF_SAMPLE_STEP 0x9e3779b1

static __always_inline int is_sample(__u32 multiple)
{
	return multiple < (1U << 31) / (JF_BOND_LOAD_PARTS / 2);
}

__noinline int count_load(__u32 bond_id, __u32 bucket, __u32 length)
{
	struct jf_bond_load *load = bpf_map_lookup_elem(&jf_bond_loads, &bond_id);

	if (load)
		load->bytes[bucket & (JF_BOND_BUCKETS - 1)] += length;
	return 0;
}

/* The bucket of the frame's flow. */
static __always_inline __u32 choose_flow_bucket(struct __sk_buff *skb, struct pass *pass, __u64 factor, __u32 inside)
{
	const __u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
	__u32 type = 0, deal = DEAL_OTHER;
	int bucket = -1;

	/* One look at the length is enough for most frames. */
	if (data + JF_IPV6_PORTS_END <= end) {
		type = type_of(data);
		if (type == bpf_htons(ETH_P_IPV6)) {
			deal = DEAL_IPV6;
			bucket = hash_ipv6_flow(data, stations_of(data, inside), factor);
		}
	} else if (data + JF_IPV4_PORTS_END <= end) {
		type = type_of(data);
	}
	if (type == bpf_htons(ETH_P_IP)) {
		deal = DEAL_IPV4;
		bucket = hash_ipv4_flow(data, stations_of(data, inside), factor);
	}
	pass->deal = deal;
	pass->factor = factor;
	if (bucket >= 0)
		return bucket;
	return hash_flow(skb, type_offset(skb, pass), inside, factor) & (JF_BOND_BUCKETS - 1);
}

/* Whether nobody sees to it that members without a link are left out. */
static __always_inline int is_unwatched(const struct pass *pass, const struct jf_bond *bond)
{
	return pass->now_ns > bond->watched_ns;
}

/* What is decided of the frame holds for as long as somebody watches. Returns whether nobody does. */
static __always_inline int limit_to_watched(struct pass *pass, const struct jf_bond *bond)
{
	if (is_unwatched(pass, bond)) {
		pass->until_ns = 0;
		return 1;
	}
	if (bond->watched_ns < pass->until_ns)
		pass->until_ns = bond->watched_ns;
	return 0;
}

/* The interface by which the frame leaves a bond; `inside` is its VLAN in the bridge. 0, which is no interface's number:
 * there is none, see bond_refusal; a negative one, which is none's either: it is one of `bucket`, see send_unwatched. */
static __always_inline int leave_bond(struct __sk_buff *skb, struct pass *pass, const struct jf_bond *bond, __u32 bond_id,
				      const struct tag_stack *tags, __u32 inside)
{
	__u32 bucket, hash = bond->hash;

	barrier_var(hash); /* no byte any more */
	if (hash >= JF_BOND_HASH_LIMITED) {
		hash -= JF_BOND_HASH_LIMITED;
		if (limit_to_watched(pass, bond) && !hash)
			return ~0;
	}
	if (hash == JF_BOND_HASH_FLOW) {
		bucket = choose_flow_bucket(skb, pass, bond->factor, inside);
	} else {
		asm volatile(""); /* in this order */
		if (!hash)
			return *way_of_bucket(bond_id, 0);
		bucket = source_bucket(pass, bond, hash, tags, inside);
		pass->deal = DEAL_SOURCE;
		pass->bucket = bucket;
	}
	pass->bond = bond_id;
	if (is_sample(pass->samples)) {
		count_load(bond_id, bucket, skb->len);
		/* One refused sample is enough. */
		if (is_unwatched(pass, bond))
			return ~bucket;
	}
	return *way_of_bucket(bond_id, bucket);
}

/* The drop reason of a frame for which there was no way out. */
__noinline int bond_refusal(__u32 bond_id)
{
	struct jf_bond *bond = find_bond(bond_id);

	return bond && bond->refusal ? bond->refusal : JF_DROP_BOND_NO_MEMBER;
}

/* The verdict on a frame that came in by a member: jf_bond_verdict, a drop reason, or 0 for none in
 * particular. */
static __always_inline __u32 enter_bond(__u32 bond_id, __u32 member, int to_group)
{
	struct jf_bond *bond = find_bond(bond_id);

	if (!bond)
		return 0;
	member &= JF_MAX_MEMBERS - 1;
	return to_group ? bond->to_group[member] : bond->to_one[member];
}

/* The place of a member with this interface; JF_NO_MEMBER. */
__noinline int member_of(__u32 bond_id, __u32 iface)
{
	struct jf_bond *bond = find_bond(bond_id);
	int i;

	for (i = 0; bond && i < JF_MAX_MEMBERS; i++)
		if (bond->members[i] == iface)
			return i;
	return JF_NO_MEMBER;
}

#endif
