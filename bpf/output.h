/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of a frame's way: it is sent, or dropped for a reason. An output is first only noted; the next
 * one sends the one before as a copy, and the last of all takes the frame itself.
 */
#ifndef JF_OUTPUT_H
#define JF_OUTPUT_H

#include "frame.h"
#include "maps.h"

#define JF_ACT_NOT_OURS -1 /* TC_ACT_UNSPEC, TCX_NEXT: other programs on the device go on */
#define JF_ACT_DROP 2      /* TC_ACT_SHOT */
#define JF_ACT_REDIRECT 7  /* TC_ACT_REDIRECT */

/* TCP or UDP over IPv4 or IPv6 with room for options: segments with less above the MTU need a look. */
#define JF_HEADERS_MIN 28
#define JF_HEADERS_MAX 160

/* Set when the program is loaded for a test: decisions are recorded instead of carried out. */
const volatile __u32 jf_recording = 0;

static __always_inline __u64 current_time(void)
{
	if (jf_recording) {
		__u32 zero = 0;
		struct jf_recorder *recorder = bpf_map_lookup_elem(&jf_recorder, &zero);

		return recorder ? recorder->now_ns : 0;
	}
	return bpf_ktime_get_coarse_ns();
}

/* The one place where a frame, or a copy of it, gets its end. */
__noinline int decide(struct __sk_buff *skb, __u32 in_iface, __u32 iface, __u32 reason, __u32 vlan)
{
	struct jf_decision *decision;
	struct jf_recorder *recorder;
	__u32 zero = 0, at;

	if (!jf_recording)
		return 0;
	recorder = bpf_map_lookup_elem(&jf_recorder, &zero);
	if (!recorder)
		return 0;
	at = recorder->count++;
	decision = bpf_map_lookup_elem(&jf_record, &at);
	if (!decision)
		return 0;
	decision->in_iface = in_iface;
	decision->iface = iface;
	decision->reason = reason;
	decision->vlan = vlan;
	decision->length = skb->len + (skb->vlan_present ? VLAN_HLEN : 0);
	decision->tag_tpid = skb->vlan_present ? bpf_ntohs(skb->vlan_proto) : 0;
	decision->tag_tci = skb->vlan_tci;
	__builtin_memset(decision->bytes, 0, sizeof(decision->bytes));
	return load_start(skb, decision->bytes, JF_RECORD_BYTES);
}

__noinline int count_drop(__u32 iface, __u32 reason)
{
	struct jf_drop_key key = { .iface = iface, .reason = reason };
	__u64 *count = bpf_map_lookup_elem(&jf_drops, &key);
	__u64 one = 1;

	if (count)
		*count += 1;
	else if (bpf_map_update_elem(&jf_drops, &key, &one, BPF_NOEXIST) < 0 &&
		 (count = bpf_map_lookup_elem(&jf_drops, &key)))
		*count += 1;
	return 0;
}

static __always_inline int end_frame(struct __sk_buff *skb, __u32 in_iface, __u32 iface, __u32 reason, __u32 vlan)
{
	if (jf_recording)
		decide(skb, in_iface, iface, reason, vlan);
	count_drop(iface, reason);
	return JF_ACT_DROP;
}

static __always_inline int drop(struct __sk_buff *skb, struct pass *pass, __u32 iface, __u32 reason, __u32 vlan)
{
	return end_frame(skb, pass->in_iface, iface, reason, vlan);
}

/* Returns how many there were. */
static __always_inline __u32 count_rx_of(const __u32 *iface, __u32 length)
{
	struct jf_counters *counters = bpf_map_lookup_elem(&jf_counters, iface);

	if (!counters)
		return 0;
	counters->rx_bytes += length;
	return ++counters->rx_packets;
}

static __always_inline void count_tx_of(const __u32 *iface, __u32 length)
{
	struct jf_counters *counters = bpf_map_lookup_elem(&jf_counters, iface);

	if (counters) {
		counters->tx_packets++;
		counters->tx_bytes += length;
	}
}

static __always_inline __u32 count_rx(__u32 iface, __u32 length)
{
	return count_rx_of(&iface, length);
}

static __always_inline void count_tx(__u32 iface, __u32 length)
{
	count_tx_of(&iface, length);
}

/* Whether a frame that is too long will be cut into segments that are not. */
static __always_inline int segments_fit(struct __sk_buff *skb, __u32 mtu, __u32 ifindex)
{
	__u32 segment = skb->gso_size;

	if (!segment || segment + JF_HEADERS_MIN > mtu)
		return 0;
	if (segment + JF_HEADERS_MAX > mtu) {
		__u32 found = 0;

		return bpf_check_mtu(skb, ifindex, &found, 0, BPF_MTU_CHK_SEGS) != BPF_MTU_CHK_RET_SEGS_TOOBIG;
	}
	return 1;
}

/* What a frame may have beside the MTU, as Open vSwitch judges it: one VLAN tag is free. */
static __always_inline __u32 room_for_header(int is_tagged)
{
	return is_tagged ? ETH_HLEN + VLAN_HLEN : ETH_HLEN;
}

static __always_inline int fits_mtu(struct __sk_buff *skb, struct pass *pass, const struct jf_iface *iface,
				    const struct tag_stack *tags)
{
	return !iface->mtu ||
	       tagged_length(pass, tags) <= iface->mtu + room_for_header(tags->count || pass->payload_tagged) ||
	       segments_fit(skb, iface->mtu, iface->ifindex);
}

/* Sends a copy of the frame by the output noted last, because there is another one or to see whether it
 * goes. */
static __noinline int send_pending_copy(struct __sk_buff *skb, struct pass *pass)
{
	__u32 id = pass->pending_iface;
	struct jf_iface *iface;

	if (!id)
		return 0;
	pass->pending_iface = 0;
	iface = bpf_map_lookup_elem(&jf_ifaces, &id);
	if (!iface)
		return 0;
	if (edit_tags(skb, &pass->tags, &pass->pending) < 0)
		return drop(skb, pass, id, JF_DROP_VLAN_EDIT_FAILED, pass->pending_vlan);
	if (jf_recording) {
		decide(skb, pass->in_iface, id, JF_DROP_NONE, pass->pending_vlan);
	} else {
		long error;

		pass->sending = 1;
		error = bpf_clone_redirect(skb, iface->ifindex, 0);
		pass->sending = 0;
		if (error)
			return drop(skb, pass, id,
				    iface->flags & JF_IFACE_DOWN ? JF_DROP_PORT_DOWN : JF_DROP_SEND_FAILED,
				    pass->pending_vlan);
	}
	count_tx(id, tagged_length(pass, &pass->pending));
	return 0;
}

/* Whether the frame has come in by the device, rather than being on its way through a netkit pair to it. */
static __always_inline int is_at_ingress(const struct __sk_buff *skb)
{
	return skb->ingress_ifindex != 0;
}

static __always_inline int is_to_far_end(const struct pass *pass, const struct jf_iface *iface)
{
	return pass->unicast && iface->flags & JF_IFACE_FAR &&
	       *(__u32 *)pass->dst == *(__u32 *)iface->mac &&
	       *(__u16 *)(pass->dst + 4) == *(__u16 *)(iface->mac + 4);
}

/* How a frame is handed to a device. */
enum way {
	WAY_OUT = 0,
	WAY_FAR = 1, /* straight to the device's other end, in another network namespace */
};

static __always_inline __u32 way_of(const struct pass *pass, const struct jf_iface *iface)
{
	return is_to_far_end(pass, iface) ? WAY_FAR : WAY_OUT;
}

/* The kernel takes a redirection to a peer at ingress only. */
static __always_inline __u32 way_here(const struct __sk_buff *skb, __u32 way)
{
	return is_at_ingress(skb) ? way : WAY_OUT;
}

/* The one place where a frame leaves for good, by a way that there is here. Returns the program's verdict. */
static __always_inline int send_to(struct __sk_buff *skb, __u32 ifindex, __u32 way)
{
	int verdict;

	if (way == WAY_FAR) {
		/* Kernels before 6.15 keep the type that was judged by the address of the switch's device. */
		bpf_skb_change_type(skb, 0 /* PACKET_HOST */);
		verdict = bpf_redirect_peer(ifindex, 0);
	} else {
		verdict = bpf_redirect(ifindex, 0);
	}
	__builtin_assume(verdict == JF_ACT_REDIRECT); /* there is another one for unknown flags only */
	return verdict;
}

static __always_inline int deliver(struct __sk_buff *skb, __u32 ifindex, __u32 way)
{
	return send_to(skb, ifindex, way_here(skb, way));
}

#endif
