/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes to bonds that the control plane asks for. They are made here, field by field, so that what others
 * write meanwhile is not lost, and so that what follows from them is worked out in one place.
 */
#ifndef JF_BONDCONTROL_H
#define JF_BONDCONTROL_H

#include "bond.h"

static __always_inline __u8 bond_output(const struct jf_bond *bond)
{
	if (bond->lacp == JF_BOND_LACP_CONFIGURED)
		return bond->flags & JF_BOND_FALLBACK_AB ? JF_BOND_WAY_ACTIVE : JF_BOND_WAY_NONE;
	switch (bond->mode) {
	case JF_BOND_MODE_BALANCE_SLB:
		return JF_BOND_WAY_SLB;
	case JF_BOND_MODE_BALANCE_TCP:
		return bond->lacp == JF_BOND_LACP_NEGOTIATED ? JF_BOND_WAY_TCP : JF_BOND_WAY_NONE;
	}
	return JF_BOND_WAY_ACTIVE;
}

static __always_inline __u8 bond_admission(const struct jf_bond *bond)
{
	if (bond->lacp == JF_BOND_LACP_NEGOTIATED)
		return JF_BOND_WAY_PARTNER;
	if (!bond_output(bond))
		return JF_BOND_WAY_NONE;
	return bond->mode == JF_BOND_MODE_BALANCE_SLB ? JF_BOND_WAY_SLB : JF_BOND_WAY_ACTIVE;
}

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
	bond->spare = bond->lacp == JF_BOND_LACP_NEGOTIATED ? 0 : bond->present;
	bond->output = bond_output(bond);
	bond->admission = bond_admission(bond);
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
	set_fields(bond, request, before ? 0 : request->fields);
}

SEC("syscall")
int jf_bond_control(struct jf_bond_request *request)
{
	struct jf_bond *bond = find_bond(request->bond);
	__u32 bit = 1U << (request->member & (JF_MAX_MEMBERS - 1));

	if (!bond)
		return 1;
	switch (request->op) {
	case JF_BOND_CONFIGURE:
		configure_bond(bond, request);
		break;
	case JF_BOND_SET:
		set_fields(bond, request, request->fields);
		break;
	case JF_BOND_LINK:
		if (request->down)
			__sync_fetch_and_or(&bond->down, bit & bond->present);
		else
			__sync_fetch_and_and(&bond->down, ~bit);
		break;
	case JF_BOND_REMOVE:
		__builtin_memset(bond, 0, sizeof(*bond));
		break;
	}
	return 0;
}

#endif
