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

static __always_inline __u32 hash_source(const struct pass *pass, __u32 vlan, __u32 basis)
{
	__u32 low = bpf_ntohl(*(__u32 *)(pass->src + 2));
	__u32 high = vlan << 16 | bpf_ntohs(*(__u16 *)pass->src);

	return murmur_end(murmur_add(murmur_add(basis, low), high), 8);
}

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 132; /* TCP, UDP, SCTP */
}

/*
 * What layers 3 and 4 say, the same in both directions: addresses above, ports and protocol below. 0 for what is
 * not IP; a fragment's ports do not count, which only the first has.
 */
static __noinline __u64 transport_key(struct __sk_buff *skb, __u32 offset)
{
	__u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
	__u32 addresses, ports_at;
	__u16 ports = 0;
	__u8 protocol;
	__u8 *ip;

	if (offset > 64)
		return 0;
	if (data + offset + 2 + 44 > end) {
		/* The headers are not all where they can be read at once, or there are not as many. */
		bpf_skb_pull_data(skb, skb->len < offset + 2 + 44 ? skb->len : offset + 2 + 44);
		data = (__u8 *)(long)skb->data;
		end = (__u8 *)(long)skb->data_end;
	}
	ip = data + offset + 2;
	if (ip + 20 > end)
		return 0;
	if (*(__u16 *)(data + offset) == bpf_htons(ETH_P_IP)) {
		protocol = ip[9];
		addresses = *(__u32 *)(ip + 12) ^ *(__u32 *)(ip + 16);
		ports_at = (ip[0] & 15) * 4;
		if (*(__u16 *)(ip + 6) & bpf_htons(JF_IP_FRAGMENT))
			ports_at = 0;
	} else if (*(__u16 *)(data + offset) == bpf_htons(ETH_P_IPV6)) {
		if (ip + 40 > end)
			return 0;
		protocol = ip[6];
		addresses = *(__u32 *)(ip + 8) ^ *(__u32 *)(ip + 12) ^ *(__u32 *)(ip + 16) ^ *(__u32 *)(ip + 20) ^
			    *(__u32 *)(ip + 24) ^ *(__u32 *)(ip + 28) ^ *(__u32 *)(ip + 32) ^ *(__u32 *)(ip + 36);
		ports_at = 40;
	} else {
		return 0;
	}
	if (ports_at && has_ports(protocol)) {
		ip += ports_at;
		if (ip + 4 <= end)
			ports = *(__u16 *)ip ^ *(__u16 *)(ip + 2);
	}
	return (__u64)addresses << 32 | (__u32)ports << 16 | protocol;
}

/* The top byte is the bucket. */
static __always_inline __u64 hash_flow(struct pass *pass, __u32 vlan, __u32 basis)
{
	const __u16 *dst = (const __u16 *)pass->dst, *src = (const __u16 *)pass->src;
	__u64 hash = (__u64)(__u16)(dst[0] ^ src[0]) | (__u64)(__u16)(dst[1] ^ src[1]) << 16 |
		     (__u64)(__u16)(dst[2] ^ src[2]) << 32 | (__u64)vlan << 48;

	hash = (hash ^ basis) * JF_HASH_FACTOR;
	hash ^= transport_key(pass->skb, type_offset(pass));
	hash ^= hash >> 32;
	return hash * JF_HASH_FACTOR;
}

/* The interface by which a frame leaves a bond, with these tags; minus a drop reason when there is none. */
static __noinline int leave_bond(struct pass *pass, __u32 bond_id, const struct tag_stack *tags)
{
	struct jf_bond *bond = find_bond(bond_id);
	struct jf_bond_load *load;
	__u32 usable, member, vlan, bucket;

	if (!bond)
		return -JF_DROP_BOND_NO_MEMBER;
	if (!bond->output)
		return -JF_DROP_BOND_NO_LACP;
	usable = usable_members(bond);
	if (!usable)
		return -JF_DROP_BOND_NO_MEMBER;
	if (bond->output == JF_BOND_WAY_ACTIVE)
		return bond->members[effective_active(bond, usable) & (JF_MAX_MEMBERS - 1)];

	vlan = TAG_VID(outer_tag(tags));
	if (bond->output == JF_BOND_WAY_SLB)
		bucket = hash_source(pass, vlan, bond->basis) & (JF_BOND_BUCKETS - 1);
	else
		bucket = hash_flow(pass, vlan, bond->basis) >> 56;
	load = bpf_map_lookup_elem(&jf_bond_loads, &bond_id);
	if (load)
		load->bytes[bucket] += tagged_length(pass, tags);
	member = bond->buckets[bucket] & (JF_MAX_MEMBERS - 1);
	if (!(usable >> member & 1))
		member = member_at(usable, bucket % count_members(usable));
	return bond->members[member & (JF_MAX_MEMBERS - 1)];
}

/* Whether a source address was seen elsewhere, so that the frame seems to be one that the switch has sent. */
static __always_inline int is_reflected(struct pass *pass, const struct jf_bridge *bridge, __u32 bridge_id, __u16 vlan,
					__u32 port_id)
{
	struct jf_fdb_key key = fdb_key(bridge_id, vlan, pass->src);
	struct jf_fdb_entry *entry;

	if (!is_learnable(bridge, bridge_id, vlan))
		return 0;
	entry = bpf_map_lookup_elem(&jf_fdb, &key);
	if (!entry || entry->port == port_id || is_aged(bridge, entry, pass->now_ns))
		return 0;
	return pass->now_ns < entry->locked_ns || !is_gratuitous_arp(pass);
}

/* Whether the member that a frame came in by is to receive it. Returns a drop reason. */
static __noinline int enter_bond(struct pass *pass, const struct jf_bridge *bridge, const struct jf_port *port,
				 __u32 port_id, __u16 vlan)
{
	struct jf_bond *bond = find_bond(port->iface);
	__u32 member = pass->member, usable;

	if (!bond || member >= JF_MAX_MEMBERS)
		return JF_DROP_BOND_INACTIVE_MEMBER;
	if (!bond->admission)
		return JF_DROP_BOND_NO_LACP;
	if (bond->admission == JF_BOND_WAY_PARTNER)
		return bond->collecting >> member & 1 ? JF_DROP_NONE : JF_DROP_BOND_INACTIVE_MEMBER;
	usable = usable_members(bond);
	if (bond->admission == JF_BOND_WAY_ACTIVE)
		return usable && member == effective_active(bond, usable) ? JF_DROP_NONE :
									    JF_DROP_BOND_INACTIVE_MEMBER;
	if (pass->dst[0] & 1 && !(bond->flags & JF_BOND_ALL_MEMBERS) &&
	    !(usable && member == effective_active(bond, usable)))
		return JF_DROP_BOND_MULTICAST_INACTIVE;
	return is_reflected(pass, bridge, port->bridge, vlan, port_id) ? JF_DROP_BOND_MOVED : JF_DROP_NONE;
}

#endif
