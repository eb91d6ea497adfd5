/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bonds: which member a frame leaves by, and whether one that came in by a member is taken, as
 * ovs-vswitchd.conf.db(5) has it in table Port, "Bonding Configuration". jackfield.model.bond is the
 * same in Python.
 */
#ifndef JF_BOND_H
#define JF_BOND_H

#include "fdb.h"
#include "frame.h"
#include "maps.h"

#define JF_HASH_FACTOR 0x9e3779b97f4a7c15ULL
#define JF_IP_FRAGMENT 0x3fff /* more fragments, or not the first one */

static __always_inline struct jf_bond *find_bond(__u32 id)
{
	return bpf_map_lookup_elem(&jf_bonds, &id);
}

/* The members that may carry frames now. */
static __always_inline __u32 usable_members(const struct jf_bond *bond)
{
	__u32 usable = bond->enabled & ~bond->down;

	return usable ? usable : bond->spare & ~bond->down;
}

/* The (at + 1)-th member of a set, from the lowest. */
__noinline int member_at(__u32 set, __u32 at)
{
	__u32 left = at;
	int i;

	for (i = 0; i < JF_MAX_MEMBERS; i++) {
		if (!(set >> i & 1))
			continue;
		if (!left)
			return i;
		left--;
	}
	return 0;
}

__noinline int count_members(__u32 set)
{
	int i, count = 0;

	for (i = 0; i < JF_MAX_MEMBERS; i++)
		count += set >> i & 1;
	return count;
}

/* The member that counts as active: the chosen one, or the lowest when that one cannot be used. */
static __always_inline __u32 effective_active(const struct jf_bond *bond, __u32 usable)
{
	__u32 active = bond->active;

	return active < JF_MAX_MEMBERS && usable >> active & 1 ? active : member_at(usable, 0);
}

/* One round of MurmurHash3 and its end, as Open vSwitch hashes words. */
static __always_inline __u32 murmur_add(__u32 hash, __u32 word)
{
	word *= 0xcc9e2d51;
	word = word << 15 | word >> 17;
	hash ^= word * 0x1b873593;
	hash = hash << 13 | hash >> 19;
	return hash * 5 + 0xe6546b64;
}

static __always_inline __u32 murmur_end(__u32 hash, __u32 length)
{
	hash ^= length;
	hash = (hash ^ hash >> 16) * 0x85ebca6b;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* `source` is a MAC address as it stands in memory, and above it the VLAN. */
static __always_inline __u32 hash_source(__u64 source, __u32 basis)
{
	__u32 low = bpf_ntohl((__u32)(source >> 16));
	__u32 high = (__u32)(source >> 48) << 16 | bpf_ntohs((__u16)source);

	return murmur_end(murmur_add(murmur_add(basis, low), high), 8);
}

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 132; /* TCP, UDP, SCTP */
}

/*
 * A hash of what layers 2 to 4 say, the same in both directions; the top byte is the bucket. A fragment's ports do
 * not count, which only the first has. `offset` is where the type of Ethernet stands.
 */
static __always_inline __u64 hash_flow(struct __sk_buff *skb, __u32 offset, __u64 vlan, __u32 basis)
{
	__u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
	__u64 hash, key = 0;
	__u32 ports_at = 0;
	__u8 *ip;

	if (offset > 64)
		return 0;
	if (data + offset + 2 + 44 > end) {
		/* The headers are not all where they can be read at once, or there are not as many. */
		bpf_skb_pull_data(skb, skb->len < offset + 2 + 44 ? skb->len : offset + 2 + 44);
		data = (__u8 *)(long)skb->data;
		end = (__u8 *)(long)skb->data_end;
	}
	if (data + ETH_HLEN > end)
		return 0;
	/* Both addresses, each followed by two bytes that fall off. */
	hash = (*(__u64 *)data ^ *(__u64 *)(data + 6)) << 16 | vlan;
	hash = (hash ^ basis) * JF_HASH_FACTOR;
	ip = data + offset + 2;
	if (ip + 20 <= end && *(__u16 *)(data + offset) == bpf_htons(ETH_P_IP)) {
		key = (__u64)(*(__u32 *)(ip + 12) ^ *(__u32 *)(ip + 16)) << 32 | ip[9];
		if (has_ports(ip[9]) && !(*(__u16 *)(ip + 6) & bpf_htons(JF_IP_FRAGMENT)))
			ports_at = (ip[0] & 15) * 4;
	} else if (ip + 40 <= end && *(__u16 *)(data + offset) == bpf_htons(ETH_P_IPV6)) {
		key = *(__u64 *)(ip + 8) ^ *(__u64 *)(ip + 16) ^ *(__u64 *)(ip + 24) ^ *(__u64 *)(ip + 32);
		key = (key ^ key >> 32) << 32 | ip[6];
		if (has_ports(ip[6]))
			ports_at = 40;
	}
	if (ports_at) {
		ip += ports_at;
		if (ip + 4 <= end)
			key |= (__u32)(*(__u16 *)ip ^ *(__u16 *)(ip + 2)) << 16;
	}
	hash ^= key;
	hash ^= hash >> 32;
	return hash * JF_HASH_FACTOR;
}

/*
 * The interface by which a frame leaves a bond; minus a drop reason when there is none. `source` is for hash_source,
 * `offset` for hash_flow, `length` is counted.
 *
 * This and enter_bond are verified on their own, and take numbers only, to spare the functions that call them.
 */
__noinline int leave_bond(struct __sk_buff *skb, __u32 bond_id, __u64 source, __u32 offset, __u32 length)
{
	struct jf_bond *bond = find_bond(bond_id);
	__u32 usable, member, bucket;
	struct jf_bond_load *load;

	if (!bond)
		return -JF_DROP_BOND_NO_MEMBER;
	if (!bond->output)
		return -JF_DROP_BOND_NO_LACP;
	usable = usable_members(bond);
	if (!usable)
		return -JF_DROP_BOND_NO_MEMBER;
	if (bond->output == JF_BOND_WAY_ACTIVE)
		return bond->members[effective_active(bond, usable) & (JF_MAX_MEMBERS - 1)];

	if (bond->output == JF_BOND_WAY_SLB)
		bucket = hash_source(source, bond->basis) & (JF_BOND_BUCKETS - 1);
	else
		bucket = hash_flow(skb, offset, source >> 48, bond->basis) >> 56;
	load = bpf_map_lookup_elem(&jf_bond_loads, &bond_id);
	if (load)
		load->bytes[bucket] += length;
	member = bond->buckets[bucket] & (JF_MAX_MEMBERS - 1);
	if (!(usable >> member & 1))
		member = member_at(usable, bucket % count_members(usable));
	return bond->members[member & (JF_MAX_MEMBERS - 1)];
}

/* Another verdict on a frame that came in: it is taken unless its source is known to be behind another port. */
#define JF_UNLESS_MOVED -1

/* Whether the member that a frame came in by is to receive it. Returns a drop reason or JF_UNLESS_MOVED. */
__noinline int enter_bond(__u32 bond_id, __u32 member, __u32 to_group)
{
	struct jf_bond *bond = find_bond(bond_id);
	__u32 usable;

	if (!bond || member >= JF_MAX_MEMBERS)
		return JF_DROP_BOND_INACTIVE_MEMBER;
	if (bond->admission == JF_BOND_WAY_PARTNER)
		return bond->collecting >> member & 1 ? JF_DROP_NONE : JF_DROP_BOND_INACTIVE_MEMBER;
	if (bond->admission == JF_BOND_WAY_SLB && (!to_group || bond->flags & JF_BOND_ALL_MEMBERS))
		return JF_UNLESS_MOVED;
	if (!bond->admission)
		return JF_DROP_BOND_NO_LACP;
	usable = usable_members(bond);
	if (usable && member == effective_active(bond, usable))
		return bond->admission == JF_BOND_WAY_SLB ? JF_UNLESS_MOVED : JF_DROP_NONE;
	return bond->admission == JF_BOND_WAY_SLB ? JF_DROP_BOND_MULTICAST_INACTIVE :
						    JF_DROP_BOND_INACTIVE_MEMBER;
}

static __always_inline int can_use_active(const struct jf_bond *bond)
{
	return (bond->enabled & ~bond->down) >> (bond->active & (JF_MAX_MEMBERS - 1)) & 1;
}

/* The interface of an active-backup bond's chosen member, while that has a link; 0: ask leave_bond. */
static __always_inline __u32 active_interface(__u32 bond_id)
{
	struct jf_bond *bond = find_bond(bond_id);

	if (!bond || bond->output != JF_BOND_WAY_ACTIVE || !can_use_active(bond))
		return 0;
	return bond->members[bond->active & (JF_MAX_MEMBERS - 1)];
}

/* Whether it is that member of an active-backup bond that a frame came in by; 0: ask enter_bond. */
static __always_inline int is_active_interface(__u32 bond_id, __u32 member)
{
	struct jf_bond *bond = find_bond(bond_id);

	return bond && bond->admission == JF_BOND_WAY_ACTIVE && bond->active == member && can_use_active(bond);
}

/* What hash_source takes of a frame that leaves with these tags. */
static __always_inline __u64 source_key(const struct pass *pass, const struct tag_stack *tags)
{
	return (__u64)TAG_VID(outer_tag(tags)) << 48 | (__u64)*(__u32 *)(pass->src + 2) << 16 |
	       *(__u16 *)pass->src;
}

#endif
