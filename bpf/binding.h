/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose frames a port takes: those of the addresses that it is bound to. Ethernet and IP sources, and what ARP
 * (RFC 826) and IPv6 neighbour discovery (RFC 4861) say of their sender. jackfield.model.binding is the same in
 * Python.
 */
#ifndef JF_BINDING_H
#define JF_BINDING_H

#include "frame.h"
#include "maps.h"
#include "security.h"
#include "subject.h"

#define JF_ETH_P_RARP 0x8035
#define JF_IPV4_HEADER 20
#define JF_IPV6_HEADER 40
#define JF_ARP_PACKET 28
#define JF_MOST_EXTENSIONS 4
#define JF_MOST_OPTIONS 8

enum ip_protocol { IP_HOP_BY_HOP = 0, IP_UDP = 17, IP_ROUTING = 43, IP_FRAGMENT = 44, IP_ICMPV6 = 58, IP_OPTIONS = 60 };
enum nd_message { ND_ROUTER_SOLICITATION = 133, ND_ROUTER_ADVERTISEMENT, ND_SOLICITATION, ND_ADVERTISEMENT };

static __always_inline struct guard_subject *binding_subject(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&jf_guard_subject, &zero);
}

static __always_inline int is_same_mac(const __u8 *a, const __u8 *b)
{
	return *(__u16 *)a == *(__u16 *)b && *(__u16 *)(a + 2) == *(__u16 *)(b + 2) &&
	       *(__u16 *)(a + 4) == *(__u16 *)(b + 4);
}

/* Whether the port may send from an IPv4 address. */
__noinline int is_bound_ipv4(__u32 port, __u32 address)
{
	struct jf_guard *guard = bpf_map_lookup_elem(&jf_guards, &port);
	int i;

	if (!guard)
		return 0;
	if (!(guard->bound_ipv4_count | guard->bound_ipv6_count))
		return 1;
#pragma clang loop unroll(disable)
	for (i = 0; i < JF_MAX_BOUND; i++) {
		if (i >= guard->bound_ipv4_count)
			break;
		if ((address & guard->bound_ipv4_mask[i]) == guard->bound_ipv4[i])
			return 1;
	}
	return 0;
}

/* Whether the port may send from the IPv6 address that jf_guard_subject holds. */
__noinline int is_bound_ipv6(__u32 port)
{
	struct jf_guard *guard = bpf_map_lookup_elem(&jf_guards, &port);
	struct guard_subject *subject = binding_subject();
	int i;

	if (!guard || !subject)
		return 0;
	if (!(guard->bound_ipv4_count | guard->bound_ipv6_count))
		return 1;
#pragma clang loop unroll(disable)
	for (i = 0; i < JF_MAX_BOUND; i++) {
		if (i >= guard->bound_ipv6_count)
			break;
		if ((subject->address[0] & guard->bound_ipv6_mask[2 * i]) == guard->bound_ipv6[2 * i] &&
		    (subject->address[1] & guard->bound_ipv6_mask[2 * i + 1]) == guard->bound_ipv6[2 * i + 1])
			return 1;
	}
	return 0;
}

/* Whether the port may send from the Ethernet source. */
__noinline int is_bound_station(__u32 port)
{
	struct jf_guard *guard = bpf_map_lookup_elem(&jf_guards, &port);
	struct guard_subject *subject = binding_subject();
	int i;

	if (!guard || !subject)
		return 0;
	if (!guard->bound_mac_count)
		return 1;
#pragma clang loop unroll(disable)
	for (i = 0; i < JF_MAX_BOUND; i++) {
		if (i >= guard->bound_mac_count)
			break;
		if (is_same_mac(guard->bound_macs + 6 * i, subject->src))
			return 1;
	}
	return 0;
}

/* A sender without an address yet (RFC 5227) has 0.0.0.0. */
__noinline int refuse_arp(struct __sk_buff *skb, __u32 offset, __u32 port)
{
	struct guard_subject *subject = binding_subject();
	__u32 sender;

	if (!subject || bpf_skb_load_bytes(skb, offset, subject->head, JF_ARP_PACKET) < 0)
		return JF_DROP_BOUND_ARP;
	/* Ethernet, IPv4, and the lengths of their addresses. */
	if (*(__u32 *)subject->head != bpf_htonl(0x00010800) || *(__u16 *)(subject->head + 4) != bpf_htons(0x0604))
		return JF_DROP_BOUND_ARP;
	sender = *(__u32 *)(subject->head + 14);
	if (!is_same_mac(subject->head + 8, subject->src))
		return JF_DROP_BOUND_ARP;
	return !sender || is_bound_ipv4(port, sender) ? JF_DROP_NONE : JF_DROP_BOUND_ARP;
}

/* Without an address of its own yet, a station may speak to DHCP servers (RFC 2131). */
__noinline int refuse_ipv4(struct __sk_buff *skb, __u32 offset, __u32 port)
{
	struct guard_subject *subject = binding_subject();
	__u32 source, length;

	if (!subject || bpf_skb_load_bytes(skb, offset, subject->head, JF_IPV4_HEADER) < 0)
		return JF_DROP_BOUND_IP;
	source = *(__u32 *)(subject->head + 12);
	if (source)
		return is_bound_ipv4(port, source) ? JF_DROP_NONE : JF_DROP_BOUND_IP;
	length = (subject->head[0] & 0xf) * 4;
	if (subject->head[9] != IP_UDP || *(__u16 *)(subject->head + 6) & bpf_htons(0x1fff) ||
	    bpf_skb_load_bytes(skb, offset + length, subject->head, 4) < 0)
		return JF_DROP_BOUND_IP;
	return *(__u32 *)subject->head == bpf_htonl(68 << 16 | 67) ? JF_DROP_NONE : JF_DROP_BOUND_IP;
}

/* Options that give a link-layer address give the frame's. */
__noinline int refuse_nd_options(struct __sk_buff *skb, __u32 offset, __u32 kind)
{
	struct guard_subject *subject = binding_subject();
	int i;

	if (!subject)
		return JF_DROP_BOUND_ND;
#pragma clang loop unroll(disable)
	for (i = 0; i < JF_MOST_OPTIONS; i++) {
		if (bpf_skb_load_bytes(skb, offset, subject->head, 8) < 0)
			return JF_DROP_NONE;
		if (!subject->head[1] || (subject->head[0] == kind && !is_same_mac(subject->head + 2, subject->src)))
			return JF_DROP_BOUND_ND;
		offset += subject->head[1] * 8;
	}
	return JF_DROP_BOUND_ND;
}

/* Neighbour discovery: a target that is claimed, by an advertisement or before it is used (RFC 4862), is bound. */
__noinline int refuse_nd(struct __sk_buff *skb, __u32 offset, __u32 port, __u32 without_source)
{
	struct guard_subject *subject = binding_subject();
	__u8 type;

	if (!subject || bpf_skb_load_bytes(skb, offset, subject->head, 8) < 0)
		return JF_DROP_NONE;
	type = subject->head[0];
	if (type == ND_ROUTER_SOLICITATION)
		return refuse_nd_options(skb, offset + 8, 1);
	if (type == ND_ROUTER_ADVERTISEMENT)
		return refuse_nd_options(skb, offset + 16, 1);
	if (type != ND_SOLICITATION && type != ND_ADVERTISEMENT)
		return JF_DROP_NONE;
	if (type == ND_ADVERTISEMENT || without_source) {
		if (bpf_skb_load_bytes(skb, offset + 8, subject->address, 16) < 0 || !is_bound_ipv6(port))
			return JF_DROP_BOUND_ND;
	}
	return refuse_nd_options(skb, offset + 24, type == ND_ADVERTISEMENT ? 2 : 1);
}

__noinline int refuse_ipv6(struct __sk_buff *skb, __u32 offset, __u32 port)
{
	struct guard_subject *subject = binding_subject();
	__u32 without_source, next;
	int i;

	if (!subject || bpf_skb_load_bytes(skb, offset, subject->head, JF_IPV6_HEADER) < 0)
		return JF_DROP_BOUND_IP;
	next = subject->head[6];
	subject->address[0] = *(__u64 *)(subject->head + 8);
	subject->address[1] = *(__u64 *)(subject->head + 16);
	without_source = !(subject->address[0] | subject->address[1]);
	if (!without_source && !is_bound_ipv6(port))
		return JF_DROP_BOUND_IP;
	offset += JF_IPV6_HEADER;
#pragma clang loop unroll(disable)
	for (i = 0; i < JF_MOST_EXTENSIONS; i++) {
		if (next == IP_ICMPV6)
			return refuse_nd(skb, offset, port, without_source);
		/* Stations ignore neighbour discovery in fragments (RFC 6980). */
		if (next != IP_HOP_BY_HOP && next != IP_ROUTING && next != IP_OPTIONS)
			return JF_DROP_NONE;
		if (bpf_skb_load_bytes(skb, offset, subject->head, 2) < 0)
			return JF_DROP_BOUND_IP;
		next = subject->head[0];
		offset += 8 + subject->head[1] * 8;
	}
	return JF_DROP_BOUND_IP;
}

static __always_inline int refuse_payload(struct __sk_buff *skb, __u32 offset, __u32 port)
{
	__u16 type;

	if (bpf_skb_load_bytes(skb, offset, &type, sizeof(type)) < 0)
		return JF_DROP_BOUND_IP;
	offset += sizeof(type);
	switch (bpf_ntohs(type)) {
	case ETH_P_ARP:
	case JF_ETH_P_RARP:
		return refuse_arp(skb, offset, port);
	case ETH_P_IP:
		return refuse_ipv4(skb, offset, port);
	case ETH_P_IPV6:
		return refuse_ipv6(skb, offset, port);
	case ETH_P_8021Q:
	case ETH_P_8021AD:
		return JF_DROP_BOUND_IP; /* below more tags than are read */
	}
	return JF_DROP_NONE;
}

/* Judges the source of the frame that jf_guard_subject tells of. Returns a drop reason. */
__noinline int bound_frame(struct __sk_buff *skb)
{
	struct guard_subject *subject = binding_subject();
	struct jf_guard *guard;
	__u32 port;

	if (!subject)
		return JF_DROP_NONE;
	port = subject->port;
	guard = bpf_map_lookup_elem(&jf_guards, &port);
	if (!guard || !(guard->bound_mac_count | guard->bound_ipv4_count | guard->bound_ipv6_count))
		return JF_DROP_NONE;
	return is_bound_station(port) ? refuse_payload(skb, subject->type_offset, port) : JF_DROP_BOUND_MAC;
}

/* Notes whose frame was refused for the reason that bound_frame gave; apart from it, for the sake of the stack. */
__noinline int note_refused(__u32 reason)
{
	struct guard_subject *subject = binding_subject();
	struct jf_fdb_key source = {};

	if (!subject)
		return reason;
	source.vlan = subject->vlan;
	__builtin_memcpy(source.mac, subject->src, 6);
	return note_offence(&source, subject->port, reason, subject->now_ns);
}

#endif
