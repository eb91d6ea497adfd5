/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All that stands before a frame from a port that is protected, or damped by the programs themselves: see guard.h and
 * stormwatch.h. */
#ifndef JF_DAMPING_H
#define JF_DAMPING_H

#include "binding.h"
#include "guard.h"
#include "maps.h"
#include "storm.h"
#include "stormwatch.h"
#include "subject.h"

#define JF_DAMPED_INTERVAL_NS (1000000000ULL / JF_DAMPED_RATE)
#define JF_DAMPED_BURST_NS ((JF_DAMPED_RATE / 10 - 1) * JF_DAMPED_INTERVAL_NS)

/* Judges the frame that jf_guard_subject tells of, on a port that is or was damped. Returns a drop reason. */
__noinline int damp_frame(struct __sk_buff *skb)
{
	__u32 zero = 0, id, kind;
	struct guard_subject *subject = bpf_map_lookup_elem(&jf_guard_subject, &zero);
	struct jf_damped *damped;
	struct jf_bridge *bridge;
	struct jf_port *port;

	if (!subject)
		return JF_DROP_NONE;
	id = subject->port;
	damped = bpf_map_lookup_elem(&jf_damped, &id);
	if (!damped || subject->now_ns >= damped->until_ns) {
		port = bpf_map_lookup_elem(&jf_ports, &id);
		if (port)
			__sync_fetch_and_and(flags_word(port), ~damped_mask());
		return JF_DROP_NONE;
	}
	kind = group_storm(subject);
	if (kind == JF_STORM_COUNT) {
		id = subject->bridge;
		bridge = bpf_map_lookup_elem(&jf_bridges, &id);
		if (!bridge || is_known(subject, bridge))
			return JF_DROP_NONE;
		kind = JF_STORM_UNKNOWN_UNICAST;
	}
	if (!is_storm(&damped->storm_next_ns[kind], JF_DAMPED_INTERVAL_NS, JF_DAMPED_BURST_NS, subject->now_ns,
		      frames_of(skb)))
		return JF_DROP_NONE;
	return JF_DROP_STORM_BROADCAST + kind;
}

/* Judges a frame that came in by such a port. Returns a drop reason, or JF_GUARD_UNLEARNED. */
static __always_inline int judge(struct __sk_buff *skb, struct pass *pass, const struct jf_bridge *bridge, __u32 vlan,
				 __u32 port_id, const struct jf_port *port)
{
	int verdict, storm;

	describe_subject(skb, pass, bridge, vlan, port_id);
	verdict = bound_frame(skb);
	verdict = verdict ? note_refused(verdict) : guard_frame(skb);
	if (verdict > 0 || !(port->flags & JF_PORT_DAMPED))
		return verdict;
	storm = damp_frame(skb);
	return storm ? storm : verdict;
}

#endif
