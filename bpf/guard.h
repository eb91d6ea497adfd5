/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Protections of a port, each off unless it is asked for: what may send there, how many addresses, and how much
 * that is flooded. A port without any is told by one flag; jackfield.model.guard is the same in Python.
 *
 * A frame from a guarded port is judged anew each time: it must not be answered from anything that remembers
 * an earlier verdict.
 */
#ifndef JF_GUARD_H
#define JF_GUARD_H

#include "fdb.h"
#include "frame.h"
#include "maps.h"
#include "output.h"
#include "storm.h"
#include "subject.h"

#define JF_GUARD_UNLEARNED -1 /* the frame passes, but its source is not learned */

static __always_inline int is_allowed(const struct jf_guard *guard, const __u8 *mac)
{
	const __u16 *wanted = (const __u16 *)mac;
	__u32 i;

	for (i = 0; i < JF_MAX_ALLOWED_MACS && i < guard->allowed_count; i++) {
		const __u16 *allowed = (const __u16 *)&guard->allowed[6 * i];

		if (allowed[0] == wanted[0] && allowed[1] == wanted[1] && allowed[2] == wanted[2])
			return 1;
	}
	return 0;
}

/* Whether the port may learn one more address: an entry of its own that has aged, which nobody swept yet, gives way. */
static __always_inline int has_room(const struct guard_subject *subject, const struct jf_guard *guard)
{
	if (port_entries(subject->port) < guard->mac_limit)
		return 1;
	return fdb_expire_one(subject->bridge, subject->port, subject->now_ns) &&
	       port_entries(subject->port) < guard->mac_limit;
}

/* Judges the source address. Returns a drop reason, or JF_GUARD_UNLEARNED. */
static __always_inline int guard_source(const struct guard_subject *subject, const struct jf_guard *guard)
{
	struct jf_fdb_key key = fdb_key(subject->bridge, subject->vlan, subject->src);
	struct jf_fdb_entry *entry = bpf_map_lookup_elem(&jf_fdb, &key);
	int is_static = entry && entry->flags & JF_FDB_STATIC;
	int here = entry && entry->port == subject->port;

	if (guard->flags & JF_GUARD_LOCKED && !(here && is_static) && !is_allowed(guard, subject->src))
		return note_offence(&key, subject->port, JF_DROP_MAC_LOCKED, subject->now_ns);
	if (!(guard->flags & JF_GUARD_MAC_LIMIT) || !subject->learnable || here || is_static ||
	    has_room(subject, guard))
		return JF_DROP_NONE;
	if (guard->flags & JF_GUARD_MAC_LIMIT_FLOOD)
		return JF_GUARD_UNLEARNED;
	return note_offence(&key, subject->port, JF_DROP_MAC_LIMIT, subject->now_ns);
}

/* Limits what would be flooded. Returns a drop reason. */
static __always_inline int guard_from_storms(const struct guard_subject *subject, const struct jf_bridge *bridge,
					     const struct jf_guard *guard, struct jf_guard_state *state, __u32 frames)
{
	__u32 kind = group_storm(subject);

	if (kind == JF_STORM_COUNT) {
		if (!guard->storm_interval_ns[JF_STORM_UNKNOWN_UNICAST] || is_known(subject, bridge))
			return JF_DROP_NONE;
		kind = JF_STORM_UNKNOWN_UNICAST;
	}
	if (!guard->storm_interval_ns[kind] ||
	    !is_storm(&state->storm_next_ns[kind], guard->storm_interval_ns[kind], guard->storm_burst_ns[kind],
		      subject->now_ns, frames))
		return JF_DROP_NONE;
	return JF_DROP_STORM_BROADCAST + kind;
}

/* Judges the frame that jf_guard_subject tells of. Returns a drop reason, or JF_GUARD_UNLEARNED. */
__noinline int guard_frame(struct __sk_buff *skb)
{
	__u32 zero = 0, id;
	struct guard_subject *subject = bpf_map_lookup_elem(&jf_guard_subject, &zero);
	struct jf_guard_state *state;
	struct jf_bridge *bridge;
	struct jf_guard *guard;
	int verdict, storm;

	if (!subject)
		return JF_DROP_NONE;
	id = subject->port;
	guard = bpf_map_lookup_elem(&jf_guards, &id);
	state = bpf_map_lookup_elem(&jf_guard_state, &id);
	id = subject->bridge;
	bridge = bpf_map_lookup_elem(&jf_bridges, &id);
	if (!guard || !state || !bridge)
		return JF_DROP_NONE;
	verdict = guard_source(subject, guard);
	if (verdict > 0)
		return verdict;
	storm = guard_from_storms(subject, bridge, guard, state, frames_of(skb));
	if (storm)
		return storm;
	if (verdict == JF_GUARD_UNLEARNED)
		add(&state->unlearned, 1);
	return verdict;
}

/* Notes what guard_frame is to judge. It has returned before that is called, for the sake of the stack. */
static __noinline int describe_subject(struct __sk_buff *skb, struct pass *pass, const struct jf_bridge *bridge,
				       __u32 vlan, __u32 port)
{
	__u32 zero = 0;
	struct guard_subject *subject = bpf_map_lookup_elem(&jf_guard_subject, &zero);

	if (!subject || !bridge)
		return 0;
	subject->now_ns = pass->now_ns;
	subject->bridge = pass->bridge;
	subject->port = port;
	subject->vlan = vlan;
	subject->type_offset = type_offset(skb, pass);
	subject->learnable = is_learnable(bridge, pass->bridge, vlan);
	__builtin_memcpy(subject->dst, pass->dst, 6);
	__builtin_memcpy(subject->src, pass->src, 6);
	return 0;
}

#endif
