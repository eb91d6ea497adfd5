/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What follows from a bond's configuration and state is worked out when these change, not for each frame: by which
 * interface each bucket leaves, and the verdict on what comes in by each member. jackfield.model.bond is the same
 * in Python, frame by frame.
 */
#ifndef JF_BONDSTATE_H
#define JF_BONDSTATE_H

#include "abi.h"
#include "maps.h"

#define JF_HASH_FACTOR 0x3d9c172411e20b8fULL /* spreads patterns of addresses and ports well */
#define JF_FOREVER (~0ULL)
#define JF_SETTLE_ATTEMPTS 8

/* The interface by which frames leave, for each bucket of each bond in turn; 0: there is none. A variable, so that a
 * frame comes by it without a look-up. */
#define JF_WAYS (JF_MAX_BONDS * JF_BOND_BUCKETS)

struct {
	__u16 iface[JF_WAYS];
} jf_ways SEC(".data.jf_ways");

static __always_inline __u16 *way_of_bucket(__u32 bond_id, __u32 bucket)
{
	__u32 at = bond_id * JF_BOND_BUCKETS + bucket;

	barrier_var(at); /* the verifier of 6.1 is to see the limit last */
	return &jf_ways.iface[at & (JF_WAYS - 1)];
}

static __always_inline struct jf_bond *find_bond(__u32 id)
{
	return bpf_map_lookup_elem(&jf_bonds, &id);
}

/* In which of the modes frames leave now; JF_BOND_MODE_NONE: not at all. */
#define JF_BOND_MODE_NONE -1

static __always_inline int working_mode(const struct jf_bond *bond)
{
	if (bond->lacp == JF_BOND_LACP_CONFIGURED)
		return bond->flags & JF_BOND_FALLBACK_AB ? JF_BOND_MODE_ACTIVE_BACKUP : JF_BOND_MODE_NONE;
	if (bond->mode == JF_BOND_MODE_BALANCE_TCP && bond->lacp == JF_BOND_LACP_OFF)
		return JF_BOND_MODE_NONE;
	return bond->mode;
}

/* The members that may carry frames now. When none that is enabled has a link, any that has one is taken, but for
 * what a partner would not expect. */
static __always_inline __u32 usable_members(const struct jf_bond *bond)
{
	__u32 usable = bond->enabled & ~bond->down;

	return usable || bond->lacp == JF_BOND_LACP_NEGOTIATED ? usable : bond->present & ~bond->down;
}

struct settling {
	struct jf_bond *bond;
	__u32 id;
	__u32 usable;
	__u32 active; /* the member that counts as such: the chosen one, or the lowest when that cannot be used */
	__u32 count;
	int mode;
	__u16 heirs[JF_MAX_MEMBERS]; /* the interfaces of the usable members, by place */
};

static int settle_member(__u32 at, void *context)
{
	struct settling *settling = context;
	struct jf_bond *bond = settling->bond;
	__u32 is_usable = settling->usable >> (at & 31) & 1;

	if (at >= JF_MAX_MEMBERS)
		return 1;
	if (is_usable) {
		if (!settling->count)
			settling->active = at;
		settling->heirs[settling->count++ & (JF_MAX_MEMBERS - 1)] = bond->members[at];
	}
	return 0;
}

/* Before: settle_member for all. */
static int settle_verdict(__u32 at, void *context)
{
	struct settling *settling = context;
	struct jf_bond *bond = settling->bond;
	int is_active = settling->count && at == settling->active;
	__u8 one = JF_DROP_BOND_INACTIVE_MEMBER, group;

	if (at >= JF_MAX_MEMBERS)
		return 1;
	group = one;
	if (bond->lacp == JF_BOND_LACP_NEGOTIATED) {
		if (bond->collecting >> at & 1)
			group = one = JF_BOND_VERDICT_TAKE;
	} else if (settling->mode == JF_BOND_MODE_NONE) {
		group = one = JF_DROP_BOND_NO_LACP;
	} else if (bond->mode == JF_BOND_MODE_BALANCE_SLB) {
		group = one = JF_BOND_VERDICT_UNLESS_MOVED;
		if (!is_active && !(bond->flags & JF_BOND_ALL_MEMBERS))
			group = JF_DROP_BOND_MULTICAST_INACTIVE;
	} else if (is_active) {
		group = one = JF_BOND_VERDICT_TAKE;
	}
	bond->to_one[at] = one;
	bond->to_group[at] = group;
	return 0;
}

static int settle_bucket(__u32 at, void *context)
{
	struct settling *settling = context;
	struct jf_bond *bond = settling->bond;
	__u32 member, iface = 0;

	if (at >= JF_BOND_BUCKETS)
		return 1;
	member = bond->buckets[at] & (JF_MAX_MEMBERS - 1);
	if (settling->mode == JF_BOND_MODE_ACTIVE_BACKUP)
		member = settling->active & (JF_MAX_MEMBERS - 1);
	if (settling->mode == JF_BOND_MODE_NONE || !settling->count)
		iface = 0;
	else if (settling->usable >> member & 1)
		iface = bond->members[member];
	else
		iface = settling->heirs[at % settling->count & (JF_MAX_MEMBERS - 1)];
	*way_of_bucket(settling->id, at) = iface;
	return 0;
}

static __always_inline __u8 hash_of(const struct jf_bond *bond, int mode)
{
	switch (mode) {
	case JF_BOND_MODE_BALANCE_SLB:
		return bond->basis ? JF_BOND_HASH_OTHER : JF_BOND_HASH_SOURCE;
	case JF_BOND_MODE_BALANCE_TCP:
		return JF_BOND_HASH_FLOW;
	}
	return JF_BOND_HASH_NONE;
}

static __always_inline __u8 limited_flag(const struct jf_bond *bond)
{
	return bond->watched_ns == JF_FOREVER ? 0 : JF_BOND_HASH_LIMITED;
}

static int settle_attempt(__u32 attempt, void *context)
{
	struct settling *settling = context;
	struct jf_bond *bond = settling->bond;
	__u32 before = bond->changes, active;

	settling->usable = usable_members(bond);
	settling->mode = working_mode(bond);
	settling->count = 0;
	bpf_loop(JF_MAX_MEMBERS, settle_member, settling, 0);
	active = bond->active;
	if (active < JF_MAX_MEMBERS && settling->usable >> active & 1)
		settling->active = active;
	bpf_loop(JF_MAX_MEMBERS, settle_verdict, settling, 0);
	bpf_loop(JF_BOND_BUCKETS, settle_bucket, settling, 0);
	bond->factor = JF_HASH_FACTOR ^ (__u64)bond->basis << 1; /* odd */
	bond->refusal = settling->mode == JF_BOND_MODE_NONE ? JF_DROP_BOND_NO_LACP : JF_DROP_BOND_NO_MEMBER;
	bond->hash = hash_of(bond, settling->mode) | limited_flag(bond);
	/* Who changed the bond meanwhile may have been done before this was: then it counts no longer. The read is a
	 * write, so that it is not made before the writes above. */
	return __sync_fetch_and_add(&bond->changes, 0) == before;
}

/* For whoever has changed a bond: brings up to date what follows from it. */
static __always_inline void settle_bond(struct jf_bond *bond, __u32 id)
{
	struct settling settling = { .bond = bond, .id = id };

	__sync_fetch_and_add(&bond->changes, 1);
	bpf_loop(JF_SETTLE_ATTEMPTS, settle_attempt, &settling, 0);
	end_kept_decisions();
}

/* Notes that a member has lost its link, or has it again. Where none could be used, the first one that can stays the
 * active one when others follow. */
static __always_inline void set_link(struct jf_bond *bond, __u32 id, __u32 member, int is_down)
{
	__u32 bit = 1U << (member & (JF_MAX_MEMBERS - 1));

	if (is_down) {
		__sync_fetch_and_or(&bond->down, bit & bond->present);
	} else {
		if (!usable_members(bond))
			bond->active = member;
		__sync_fetch_and_and(&bond->down, ~bit);
	}
	settle_bond(bond, id);
}

#endif
