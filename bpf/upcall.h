/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames that are the control plane's: they go up by a ring buffer, at a bounded rate, and no further. */
#ifndef JF_UPCALL_H
#define JF_UPCALL_H

#include "frame.h"
#include "maps.h"
#include "output.h"

#define JF_SECOND_NS 1000000000ULL

/* Whether the interface has handed up as much as it may in this second. */
static __noinline int has_had_its_say(__u32 iface, __u64 now_ns)
{
	struct jf_upcall_rate fresh = { .since_ns = now_ns, .count = 1 };
	struct jf_upcall_rate *rate = bpf_map_lookup_elem(&jf_upcall_rates, &iface);

	if (!rate)
		return bpf_map_update_elem(&jf_upcall_rates, &iface, &fresh, BPF_ANY) < 0;
	if (now_ns - rate->since_ns >= JF_SECOND_NS) {
		rate->since_ns = now_ns;
		rate->count = 0;
	}
	return __sync_fetch_and_add(&rate->count, 1) >= JF_UPCALL_RATE;
}

/* A function of its own, so that the record's type is in the BTF. */
static __noinline int describe_frame(struct __sk_buff *skb, struct jf_upcall *upcall)
{
	upcall->time_ns = bpf_ktime_get_ns();
	upcall->length = skb->len;
	if (skb->len < JF_UPCALL_BYTES)
		__builtin_memset(upcall->data, 0, JF_UPCALL_BYTES);
	return load_start(skb, upcall->data, JF_UPCALL_BYTES);
}

/* Hands a frame up that came in by `iface`. Returns the program's verdict. */
__noinline int hand_up(struct __sk_buff *skb, __u32 iface, __u32 kind, __u32 vlan, __u64 now_ns)
{
	struct jf_upcall *upcall = NULL;

	if (!has_had_its_say(iface, now_ns))
		upcall = bpf_ringbuf_reserve(&jf_upcalls, sizeof(*upcall), 0);
	if (!upcall) {
		if (jf_recording)
			decide(skb, iface, iface, JF_DROP_UPCALL_LIMIT, vlan);
		count_drop(iface, JF_DROP_UPCALL_LIMIT);
		return JF_ACT_DROP;
	}
	upcall->iface = iface;
	upcall->vlan = vlan;
	upcall->kind = kind;
	describe_frame(skb, upcall);
	bpf_ringbuf_submit(upcall, 0);
	return JF_ACT_DROP;
}

/* Whether the frame is of a protocol between neighbours that LACP is one of (IEEE 802.3, 57A). */
static __always_inline int is_slow_protocol(const struct __sk_buff *skb, const struct pass *pass)
{
	const __u8 *data = (__u8 *)(long)skb->data;

	return !pass->tags.count && data + ETH_HLEN <= (__u8 *)(long)skb->data_end &&
	       *(__u16 *)(data + ETH_HLEN - 2) == bpf_htons(ETH_P_SLOW);
}

#endif
