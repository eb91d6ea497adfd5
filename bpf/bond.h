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

/* The bucket of the frame's source on a bond that it leaves with these tags; `inside` is its VLAN in the bridge. */
static __always_inline __u32 source_bucket(struct pass *pass, const struct jf_bond *bond,
					   const struct tag_stack *tags, __u32 inside)
{
	int is_known = pass->source & JF_FDB_HASHED && bond->hash == JF_BOND_HASH_SOURCE;
	__u32 vlan;

	if (is_known && !tags->count)
		return ENTRY_BUCKET_UNTAGGED(pass->source);
	vlan = TAG_VID(outer_tag(tags));
	if (is_known && vlan == inside)
		return ENTRY_BUCKET(pass->source);
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

/* The bucket of the frame on a bond that deals frames out. */
static __always_inline __u32 choose_bucket(struct __sk_buff *skb, struct pass *pass, const struct jf_bond *bond,
					   const struct tag_stack *tags, __u32 inside)
{
	int bucket;

	if (bond->hash != JF_BOND_HASH_FLOW)
		return source_bucket(pass, bond, tags, inside);
	bucket = hash_common_flow(skb, inside, bond->factor);
	return bucket < 0 ? hash_flow(skb, type_offset(skb, pass), inside, bond->factor) : bucket;
}

/* Whether nobody sees to it that members without a link are left out. */
static __always_inline int is_unwatched(const struct pass *pass, const struct jf_bond *bond)
{
	return pass->now_ns > bond->watched_ns;
}

/* What is decided of the frame holds for as long as somebody watches. */
static __always_inline void limit_to_watched(struct pass *pass, const struct jf_bond *bond)
{
	if (is_unwatched(pass, bond))
		pass->until_ns = 0;
	else if (bond->watched_ns < pass->until_ns)
		pass->until_ns = bond->watched_ns;
}

/* The interface by which the frame leaves a bond. 0: there is none, see bond_refusal; else it is one of `bucket`, see
 * send_unwatched. `inside` is its VLAN in the bridge. */
static __always_inline int leave_bond(struct __sk_buff *skb, struct pass *pass, __u32 bond_id,
				      const struct tag_stack *tags, __u32 inside)
{
	struct jf_bond *bond = find_bond(bond_id);
	__u32 bucket = 0;

	if (!bond)
		return 0;
	if (pass->until_ns)
		limit_to_watched(pass, bond);
	if (bond->hash) {
		bucket = choose_bucket(skb, pass, bond, tags, inside) & (JF_BOND_BUCKETS - 1);
		pass->bond = bond_id;
		pass->bond_hash = bond->hash;
		pass->factor = bond->factor;
		pass->bucket = bucket;
		if (is_sample(pass->number * JF_SAMPLE_STEP)) {
			count_load(bond_id, bucket, skb->len);
			/* One refused sample is enough. */
			if (is_unwatched(pass, bond))
				return ~bucket;
		}
	} else if (is_unwatched(pass, bond)) {
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
