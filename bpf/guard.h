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
#include "subject.h"

#define JF_GUARD_UNLEARNED -1 /* the frame passes, but its source is not learned */
#define JF_STORM_ATTEMPTS 4
#define JF_MOST_SEGMENTS 1024

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

/* Takes frames from a token bucket, which is kept as the time when the next frame is due. Returns whether there
 * were not enough. */
static __always_inline int is_storm(const struct jf_guard *guard, struct jf_guard_state *state, __u32 kind,
				    __u64 now_ns, __u32 frames)
{
	__u64 interval, burst, due, from;
	int i;

	if (kind >= JF_STORM_COUNT)
		return 0;
	interval = guard->storm_interval_ns[kind];
	burst = guard->storm_burst_ns[kind];
	if (!interval)
		return 0;
	/* The coarse clock stands still for up to 10 ms, in which a high rate lets many frames in. */
	if (!jf_recording)
		now_ns = bpf_ktime_get_ns();
	for (i = 0; i < JF_STORM_ATTEMPTS; i++) {
		due = state->storm_next_ns[kind];
		from = due;
		/* So far ahead it can only be if the rate was a lower one. */
		if ((__s64)(due - now_ns) < 0 || due - now_ns > burst + interval * JF_MOST_SEGMENTS)
			from = now_ns;
		if (from - now_ns > burst)
			return 1;
		if (__sync_val_compare_and_swap(&state->storm_next_ns[kind], due, from + interval * frames) == due)
			return 0;
	}
	return 1; /* so many CPUs at once */
}

/* Limits what would be flooded. Returns a drop reason. */
static __always_inline int guard_from_storms(const struct guard_subject *subject, const struct jf_bridge *bridge,
					     const struct jf_guard *guard, struct jf_guard_state *state, __u32 frames)
{
	struct jf_fdb_entry *entry;
	struct jf_fdb_key key;

	if (*(__u32 *)subject->dst == 0xffffffff && *(__u16 *)(subject->dst + 4) == 0xffff)
		return is_storm(guard, state, JF_STORM_BROADCAST, subject->now_ns, frames) ?
			       JF_DROP_STORM_BROADCAST : JF_DROP_NONE;
	if (subject->dst[0] & 1)
		return is_storm(guard, state, JF_STORM_MULTICAST, subject->now_ns, frames) ?
			       JF_DROP_STORM_MULTICAST : JF_DROP_NONE;
	if (!guard->storm_interval_ns[JF_STORM_UNKNOWN_UNICAST])
		return JF_DROP_NONE;
	key = fdb_key(subject->bridge, subject->vlan, subject->dst);
	entry = subject->learnable ? bpf_map_lookup_elem(&jf_fdb, &key) : NULL;
	if (entry && !is_aged(bridge, entry, subject->now_ns))
		return JF_DROP_NONE;
	return is_storm(guard, state, JF_STORM_UNKNOWN_UNICAST, subject->now_ns, frames) ?
		       JF_DROP_STORM_UNKNOWN_UNICAST : JF_DROP_NONE;
}

/* Judges the frame that jf_guard_subject tells of. Returns a drop reason, or JF_GUARD_UNLEARNED. */
__noinline int guard_frame(struct __sk_buff *skb)
{
	__u32 zero = 0, id, frames;
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
	/* What segmentation offload keeps together counts as the frames that it becomes. */
	frames = skb->gso_segs;
	if (!frames)
		frames = 1;
	else if (frames > JF_MOST_SEGMENTS)
		frames = JF_MOST_SEGMENTS;
	storm = guard_from_storms(subject, bridge, guard, state, frames);
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
