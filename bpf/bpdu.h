/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* BPDU guard: a port behind which no bridge is to be is disabled by the first spanning tree frame that comes in. */
#ifndef JF_BPDU_H
#define JF_BPDU_H

#include "frame.h"
#include "maps.h"
#include "output.h"
#include "upcall.h"

#define JF_BPDU_START 17
#define JF_MOST_LENGTH 1500

/* Whether it is a BPDU: IEEE 802.1D, 9.2, to the addresses of customer and provider bridges. */
static __always_inline int is_bpdu(struct __sk_buff *skb)
{
	__u8 start[JF_BPDU_START + 1] __attribute__((aligned(2)));

	if (skb->vlan_present || bpf_skb_load_bytes(skb, 0, start, JF_BPDU_START) < 0)
		return 0;
	return *(__u16 *)start == bpf_htons(0x0180) && *(__u16 *)(start + 2) == bpf_htons(0xc200) &&
	       start[4] == 0 && (start[5] == 0 || start[5] == 8) &&
	       bpf_ntohs(*(__u16 *)(start + 12)) <= JF_MOST_LENGTH && start[14] == 0x42 && start[15] == 0x42;
}

#define JF_SNAP_BYTES 8

/* Whether it is a BPDU of Cisco's spanning tree for one VLAN, tagged or not: to 01:00:0c:cc:cc:cd, by SNAP as protocol
 * 0x010b of theirs. `type_at` is where the length is, behind the tags. */
static __always_inline int is_pvst_bpdu(struct __sk_buff *skb, __u32 type_at)
{
	static const __u8 snap[JF_SNAP_BYTES] = { 0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x01, 0x0b };
	__u8 start[2 + JF_SNAP_BYTES] __attribute__((aligned(2)));
	__u8 dst[6] __attribute__((aligned(2)));
	int i;

	if (bpf_skb_load_bytes(skb, 0, dst, sizeof(dst)) < 0 || *(__u16 *)dst != bpf_htons(0x0100) ||
	    *(__u16 *)(dst + 2) != bpf_htons(0x0ccc) || *(__u16 *)(dst + 4) != bpf_htons(0xcccd))
		return 0;
	if (bpf_skb_load_bytes(skb, type_at, start, sizeof(start)) < 0 ||
	    bpf_ntohs(*(__u16 *)start) > JF_MOST_LENGTH)
		return 0;
	for (i = 0; i < JF_SNAP_BYTES; i++)
		if (start[2 + i] != snap[i])
			return 0;
	return 1;
}

/* Disables the port if that has BPDU guard and the frame is a BPDU. Returns a drop reason. */
__noinline int guard_from_bpdus(struct __sk_buff *skb, __u32 port_id, __u32 iface, __u64 now_ns, __u32 type_at)
{
	struct jf_disabled disabled = { .since_ns = now_ns, .by = JF_DISABLED_BY_BPDU };
	struct jf_guard *guard = bpf_map_lookup_elem(&jf_guards, &port_id);
	struct jf_upcall *upcall;
	struct jf_port *port;

	if (!guard || !(guard->flags & JF_GUARD_BPDU) || !(is_bpdu(skb) || is_pvst_bpdu(skb, type_at)))
		return JF_DROP_NONE;
	if (bpf_map_update_elem(&jf_disabled, &port_id, &disabled, BPF_ANY) < 0)
		return JF_DROP_BPDU_GUARD;
	port = bpf_map_lookup_elem(&jf_ports, &port_id);
	if (port)
		port->bridge = 0;
	end_kept_decisions();
	upcall = bpf_ringbuf_reserve(&jf_upcalls, sizeof(*upcall), 0);
	if (upcall) {
		__builtin_memset(upcall, 0, sizeof(*upcall));
		upcall->time_ns = now_ns;
		upcall->iface = iface;
		upcall->kind = JF_UPCALL_DISABLED;
		bpf_ringbuf_submit(upcall, 0);
	}
	return JF_DROP_BPDU_GUARD;
}

#endif
