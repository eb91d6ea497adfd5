/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses that belong to a port: other ports must not send from them, and who does is noted. */
#ifndef JF_SECURITY_H
#define JF_SECURITY_H

#include "maps.h"

/* Whether what was learned on a port is not to be learned elsewhere while it is known. */
__noinline int keeps_addresses(__u32 port)
{
	struct jf_guard *guard = bpf_map_lookup_elem(&jf_guards, &port);

	return guard && guard->flags & (JF_GUARD_STICKY | JF_GUARD_LOCKED);
}

/* Notes that a frame from an address is dropped because of that address. Returns the reason. */
__noinline int note_offence(const struct jf_fdb_key *address, __u32 port, __u32 reason, __u64 now_ns)
{
	struct jf_guard_state *state = bpf_map_lookup_elem(&jf_guard_state, &port);

	if (!state || !address)
		return reason;
	state->offence_ns = now_ns;
	state->offence = reason;
	state->vlan = address->vlan;
	__builtin_memcpy(state->mac, address->mac, 6);
	return reason;
}

#endif
