/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a frame's state is: in a map, since it is too large for the stack, and too much for the verifier to follow.
 *
 * Nothing else runs on the CPU while a frame passes, but for a copy of it: when the copy's device is on top of a netkit
 * pair, the program runs for that before the first frame has passed, which waits meanwhile. So there are several levels.
 */
#ifndef JF_PASS_H
#define JF_PASS_H

#include "frame.h"
#include "maps.h"

/* The kernel lets no device send amid eight others, and of those each level takes three. */
#define JF_PASSES 3

JF_MAP(jf_pass, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct pass, JF_PASSES);

/* The state of the frame that the program runs for; NULL when as many wait as can. */
static __always_inline struct pass *this_pass(void)
{
	struct pass *pass;
	__u32 at, level;

#pragma unroll
	for (at = 0; at < JF_PASSES; at++) {
		level = at;
		pass = bpf_map_lookup_elem(&jf_pass, &level);
		if (!pass || !pass->sending)
			return pass;
	}
	return NULL;
}

#endif
