/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A frame that protections are to judge: kept in a map, because the stack has no room for it. */
#ifndef JF_SUBJECT_H
#define JF_SUBJECT_H

#include "maps.h"

/* Nothing else runs on the CPU meanwhile. */
struct guard_subject {
	__u64 now_ns;
	__u16 bridge;
	__u16 port;
	__u16 vlan;
	__u16 type_offset; /* of what the frame carries behind its tags */
	__u8 dst[6];
	__u8 src[6];
	__u8 learnable;
	/* What bindings are held against: an IPv6 address, and a piece of the frame. */
	__u64 address[2];
	__u8 head[40] __attribute__((aligned(8)));
};

JF_MAP(jf_guard_subject, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct guard_subject, 1);

#endif
