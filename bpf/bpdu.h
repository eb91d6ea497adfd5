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

/* Disables the port if that has BPDU guard and the frame is a BPDU. Returns a drop reason. */
__noinline int guard_from_bpdus(struct __sk_buff *skb, __u32 port_id, __u32 iface, __u64 now_ns)
{
	struct jf_disabled disabled = { .since_ns = now_ns, .by = JF_DISABLED_BY_BPDU };
	struct jf_guard *guard = bpf_map_lookup_elem(&jf_guards, &port_id);
	struct jf_upcall *upcall;
	struct jf_port *port;

	if (!guard || !(guard->flags & JF_GUARD_BPDU) || !is_bpdu(skb))
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
