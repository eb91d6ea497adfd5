/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loops that come into being while nobody looks after them. The control plane proves a loop before it damps a port; when
 * that has given no sign of life, the program goes by how fast addresses move: to a port and back again so often in one
 * second as no station roams. Then both ports may flood little for some seconds. See damping.h for
 * what that means; jackfield.model.damping is both in Python.
 */
#ifndef JF_STORMWATCH_H
#define JF_STORMWATCH_H

#include "maps.h"

#define JF_STORM_WINDOW_NS 1000000000ULL
#define JF_DAMPED_NS (JF_DAMPED_SECONDS * 1000000000ULL)

/* The word of a jf_port that has the flags in it: that is changed while the control plane may write the record. */
static __always_inline __u32 *flags_word(struct jf_port *port)
{
	return (__u32 *)&port->vlan_mode;
}

static __always_inline __u32 damped_mask(void)
{
	union {
		__u8 bytes[4];
		__u32 word;
	} mask = { .bytes = { 0, 0, JF_PORT_DAMPED, 0 } };

	return mask.word;
}

_Static_assert(__builtin_offsetof(struct jf_port, vlan_mode) % 4 == 0 &&
		       __builtin_offsetof(struct jf_port, flags) == __builtin_offsetof(struct jf_port, vlan_mode) + 2,
	       "the flags are the third byte of their word");

/* Has a port flood little from now on. */
__noinline int damp(__u32 port_id, __u32 other, __u32 vlan, __u64 now_ns)
{
	struct jf_damped fresh = { .until_ns = now_ns + JF_DAMPED_NS, .count = 1, .other = other, .vlan = vlan };
	struct jf_damped *damped = bpf_map_lookup_elem(&jf_damped, &port_id);
	struct jf_port *port = bpf_map_lookup_elem(&jf_ports, &port_id);

	if (damped) {
		damped->until_ns = now_ns + JF_DAMPED_NS;
		damped->other = other;
		damped->vlan = vlan;
		__sync_fetch_and_add(&damped->count, 1);
	} else if (bpf_map_update_elem(&jf_damped, &port_id, &fresh, BPF_ANY) < 0) {
		return 0;
	}
	if (port)
		__sync_fetch_and_or(flags_word(port), damped_mask());
	return 0;
}

/* How often addresses have moved so within a second, this time included. */
static __always_inline __u64 count_storm(struct jf_storm_moves *moves, __u64 now_ns)
{
	if (now_ns - moves->since_ns >= JF_STORM_WINDOW_NS) {
		moves->since_ns = now_ns;
		moves->count = 0;
	}
	return __sync_fetch_and_add(&moves->count, 1) + 1;
}

/* An address of `vlan` was seen on port `to`, and on `from` before. Damps both if that is a storm nobody looks after. */
__noinline int note_storm(__u32 from, __u32 to, __u32 vlan, __u64 now_ns)
{
	struct jf_move_key there = { .before = from, .after = to, .vlan = vlan };
	struct jf_move_key back = { .before = to, .after = from, .vlan = vlan };
	struct jf_storm_moves fresh = { .since_ns = now_ns, .count = 1 };
	struct jf_storm_moves *moves, *returns;
	__u32 zero = 0;
	struct jf_watch *watch = bpf_map_lookup_elem(&jf_watch, &zero);

	if (!watch || now_ns < watch->until_ns)
		return 0;
	moves = bpf_map_lookup_elem(&jf_storms, &there);
	if (!moves)
		return bpf_map_update_elem(&jf_storms, &there, &fresh, BPF_ANY);
	if (count_storm(moves, now_ns) < JF_STORM_MOVES)
		return 0;
	/* A switch elsewhere that changes over moves all at once, but does not bring them back. */
	returns = bpf_map_lookup_elem(&jf_storms, &back);
	if (!returns || returns->count < JF_STORM_MOVES || now_ns - returns->since_ns >= JF_STORM_WINDOW_NS)
		return 0;
	moves->count = 0;
	returns->count = 0;
	damp(from, to, vlan, now_ns);
	return damp(to, from, vlan, now_ns);
}

#endif
