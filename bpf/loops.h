/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the control plane needs to find loops: word of addresses that keep moving between two ports, and the frames
 * by which it makes sure. And what a disabled port does with frames.
 */
#ifndef JF_LOOPS_H
#define JF_LOOPS_H

#include "frame.h"
#include "maps.h"
#include "output.h"
#include "upcall.h"

/* So many moves from one port to one other within that time are worth a look. */
#define JF_MOVES_SUSPICIOUS 8
#define JF_MOVES_WINDOW_NS 10000000000ULL
/* How often the control plane is told of the same two ports at most. */
#define JF_MOVES_PAUSE_NS 500000000ULL

/* Probes are sent to 03:6a:66 and three bytes of the switch's own: an address that every bridge floods. */
#define JF_PROBE_VENDOR 0x036a66

/* An address of `vlan` was seen on port `to`, and on `from` before. */
__noinline int note_move(__u32 from, __u32 to, __u32 vlan, __u32 iface, __u64 now_ns)
{
	struct jf_move_key key = { .before = from, .after = to, .vlan = vlan };
	struct jf_moves fresh = { .since_ns = now_ns, .count = 1 };
	struct jf_moves *moves = bpf_map_lookup_elem(&jf_moves, &key);
	struct jf_upcall *upcall;
	__u64 told_ns;

	if (!moves)
		return bpf_map_update_elem(&jf_moves, &key, &fresh, BPF_ANY);
	if (now_ns - moves->since_ns >= JF_MOVES_WINDOW_NS) {
		moves->since_ns = now_ns;
		moves->count = 0;
	}
	if (__sync_fetch_and_add(&moves->count, 1) + 1 < JF_MOVES_SUSPICIOUS)
		return 0;
	told_ns = moves->told_ns;
	if (now_ns - told_ns < JF_MOVES_PAUSE_NS ||
	    __sync_val_compare_and_swap(&moves->told_ns, told_ns, now_ns) != told_ns || has_had_its_say(iface, now_ns))
		return 0;
	moves->count = 0;
	upcall = bpf_ringbuf_reserve(&jf_upcalls, sizeof(*upcall), 0);
	if (!upcall)
		return 0;
	__builtin_memset(upcall, 0, sizeof(*upcall));
	upcall->time_ns = now_ns;
	upcall->iface = iface;
	upcall->vlan = vlan;
	upcall->kind = JF_UPCALL_MOVES;
	upcall->length = sizeof(key);
	*(struct jf_move_key *)upcall->data = key;
	bpf_ringbuf_submit(upcall, 0);
	return 0;
}

/* Whether the end of a destination address makes it that of this switch's own probes. */
__noinline int is_own_probe(__u32 rest)
{
	__u32 zero = 0;
	struct jf_switch *self = bpf_map_lookup_elem(&jf_switch, &zero);

	return self && self->probe && self->probe == rest;
}

#endif
