/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes to bonds that the control plane asks for. They are made here, field by field, so that what others
 * write meanwhile is not lost, and so that what follows from them is worked out in one place.
 */
#ifndef JF_BONDCONTROL_H
#define JF_BONDCONTROL_H

#include "bondstate.h"

static __always_inline void set_fields(struct jf_bond *bond, const struct jf_bond_request *request, __u32 fields)
{
	if (fields & JF_BOND_FIELD_BUCKETS)
		__builtin_memcpy(bond->buckets, request->buckets, sizeof(bond->buckets));
	if (fields & JF_BOND_FIELD_ACTIVE)
		bond->active = request->active;
	if (fields & JF_BOND_FIELD_COLLECTING)
		bond->collecting = request->collecting & bond->present;
	if (fields & JF_BOND_FIELD_ENABLED)
		bond->enabled = request->enabled & bond->present;
	if (fields & JF_BOND_FIELD_LACP && bond->flags & JF_BOND_LACP && request->lacp)
		bond->lacp = request->lacp;
	settle_bond(bond, request->bond);
}

static __always_inline void configure_bond(struct jf_bond *bond, const struct jf_bond_request *request)
{
	__u32 present = request->present, before = bond->present;

	bond->enabled &= present;
	bond->collecting &= present;
	__sync_fetch_and_and(&bond->down, present);
	__builtin_memcpy(bond->members, request->members, sizeof(bond->members));
	bond->present = present;
	bond->basis = request->basis;
	bond->mode = request->mode;
	bond->flags = request->flags;
	if (!(bond->flags & JF_BOND_LACP))
		bond->lacp = JF_BOND_LACP_OFF;
	else if (bond->lacp == JF_BOND_LACP_OFF)
		bond->lacp = JF_BOND_LACP_CONFIGURED;
	if (!before)
		bond->watched_ns = JF_FOREVER;
	set_fields(bond, request, before ? 0 : request->fields);
}

static int clear_way(__u32 at, void *context)
{
	const __u32 *id = context;

	*way_of_bucket(*id, at) = 0;
	return 0;
}

SEC("syscall")
int jf_bond_control(struct jf_bond_request *request)
{
	struct jf_bond *bond = find_bond(request->bond);
	__u32 id = request->bond;
	int is_shorter;

	if (!bond)
		return 1;
	/* What comes late about a bond that has been removed makes nothing of it again. */
	if (!bond->present && request->op != JF_BOND_CONFIGURE && request->op != JF_BOND_REMOVE)
		return 0;
	switch (request->op) {
	case JF_BOND_CONFIGURE:
		configure_bond(bond, request);
		break;
	case JF_BOND_SET:
		set_fields(bond, request, request->fields);
		break;
	case JF_BOND_LINK:
		set_link(bond, request->bond, request->member, request->down);
		break;
	case JF_BOND_WATCH:
		is_shorter = request->watched_ns < bond->watched_ns;
		bond->watched_ns = request->watched_ns;
		if ((bond->hash & JF_BOND_HASH_LIMITED) != limited_flag(bond))
			settle_bond(bond, id);
		else if (is_shorter)
			end_kept_decisions();
		break;
	case JF_BOND_REMOVE:
		/* All of it is nothing: a record with anything in it is a bond. */
		__builtin_memset(bond, 0, sizeof(*bond));
		bpf_loop(JF_BOND_BUCKETS, clear_way, &id, 0);
		end_kept_decisions();
		break;
	}
	return 0;
}

#endif
