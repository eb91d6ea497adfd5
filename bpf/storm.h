/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is flooded, sorted into kinds, each of which may be limited by a token bucket. */
#ifndef JF_STORM_H
#define JF_STORM_H

#include "fdb.h"
#include "maps.h"
#include "subject.h"

#define JF_STORM_ATTEMPTS 4
#define JF_MOST_SEGMENTS 1024

_Static_assert(JF_DROP_STORM_MULTICAST == JF_DROP_STORM_BROADCAST + JF_STORM_MULTICAST &&
		       JF_DROP_STORM_UNKNOWN_UNICAST == JF_DROP_STORM_BROADCAST + JF_STORM_UNKNOWN_UNICAST,
	       "reasons are in the order of jf_storm");

/* The jf_storm of a frame to a group; JF_STORM_COUNT of one to a single station. */
static __always_inline __u32 group_storm(const struct guard_subject *subject)
{
	if (*(__u32 *)subject->dst == 0xffffffff && *(__u16 *)(subject->dst + 4) == 0xffff)
		return JF_STORM_BROADCAST;
	return subject->dst[0] & 1 ? JF_STORM_MULTICAST : JF_STORM_COUNT;
}

/* Whether it is known where the destination is. */
static __always_inline int is_known(const struct guard_subject *subject, const struct jf_bridge *bridge)
{
	struct jf_fdb_key key = fdb_key(subject->bridge, subject->vlan, subject->dst);
	struct jf_fdb_entry *entry = subject->learnable ? bpf_map_lookup_elem(&jf_fdb, &key) : NULL;

	return entry && !is_aged(bridge, entry, subject->now_ns);
}

/* What segmentation offload keeps together counts as the frames that it becomes. */
static __always_inline __u32 frames_of(const struct __sk_buff *skb)
{
	__u32 frames = skb->gso_segs;

	if (!frames)
		return 1;
	return frames > JF_MOST_SEGMENTS ? JF_MOST_SEGMENTS : frames;
}

/* Takes frames from a token bucket, which is kept as the time when the `next` frame is due. Returns whether there
 * were not enough. */
static __always_inline int is_storm(__u64 *next, __u64 interval, __u64 burst, __u64 now_ns, __u32 frames)
{
	__u64 due, from;
	int i;

	/* The coarse clock stands still for up to 10 ms, in which a high rate lets many frames in. */
	if (!jf_recording)
		now_ns = bpf_ktime_get_ns();
	for (i = 0; i < JF_STORM_ATTEMPTS; i++) {
		due = *next;
		from = due;
		/* So far ahead it can only be if the rate was a lower one. */
		if ((__s64)(due - now_ns) < 0 || due - now_ns > burst + interval * JF_MOST_SEGMENTS)
			from = now_ns;
		if (from - now_ns > burst)
			return 1;
		if (__sync_val_compare_and_swap(next, due, from + interval * frames) == due)
			return 0;
	}
	return 1; /* so many CPUs at once */
}

#endif
