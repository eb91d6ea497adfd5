/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* By what bonds deal out frames: a source, or a flow. jackfield.model.bonding.hashing is the same in Python. */
#ifndef JF_BONDHASH_H
#define JF_BONDHASH_H

#include "frame.h"

#define JF_IP_FRAGMENT 0x3fff /* more fragments, or not the first one */
#define JF_TCP 6
#define JF_UDP 17
#define JF_SCTP 132

/* One round of MurmurHash3 and its end, as Open vSwitch hashes words. */
static __always_inline __u32 murmur_add(__u32 hash, __u32 word)
{
	word *= 0xcc9e2d51;
	word = word << 15 | word >> 17;
	hash ^= word * 0x1b873593;
	hash = hash << 13 | hash >> 19;
	return hash * 5 + 0xe6546b64;
}

static __always_inline __u32 murmur_end(__u32 hash, __u32 length)
{
	hash ^= length;
	hash = (hash ^ hash >> 16) * 0x85ebca6b;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* An address as it stands in memory, at an even place. */
static __always_inline __u64 source_number(const __u8 *mac)
{
	const __u16 *words = (const __u16 *)mac;

	return (__u64)words[2] << 32 | (__u32)words[1] << 16 | words[0];
}

/* Of an address, as source_number has it, in a VLAN: the lowest byte is the bucket. */
__noinline int hash_source(__u64 source, __u32 vlan, __u32 basis)
{
	__u32 low = bpf_ntohl((__u32)(source >> 16));
	__u32 high = vlan << 16 | bpf_ntohs((__u16)source);

	return murmur_end(murmur_add(murmur_add(basis, low), high), 8);
}

/*
 * The bucket of a flow: `between` tells it from others between the same two stations, `stations` these and the VLAN.
 * The last bytes of addresses and the ports, which differ most, are turned to the low end, from where they count for
 * all bits of the product. A bond's factor is odd.
 */
static __always_inline __u32 flow_bucket(__u64 between, __u64 stations, __u64 factor)
{
	return __builtin_bswap64(between + stations) * factor >> 56;
}

/* Of Ethernet, behind the addresses. */
static __always_inline __u16 type_of(const __u8 *data)
{
	return *(__u16 *)(data + ETH_HLEN - 2);
}

/* The source and two bytes of the destination. */
static __always_inline __u64 stations_of(const __u8 *data, __u32 vlan)
{
	return *(__u64 *)(data + 4) + vlan;
}

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == JF_TCP || protocol == JF_UDP || protocol == JF_SCTP;
}

/*
 * The bucket of any frame. The ports of a fragment do not count, which only the first one has. `offset` is where the
 * type of Ethernet stands.
 */
__noinline int hash_flow(struct __sk_buff *skb, __u32 offset, __u32 vlan, __u64 factor)
{
	__u8 *data = (__u8 *)(long)skb->data, *end = (__u8 *)(long)skb->data_end;
	__u32 ports_at = 0;
	__u64 between;
	__u8 *ip;

	if (offset > 64)
		return 0;
	if (data + offset + 2 + 44 > end) {
		/* The headers are not all where they can be read at once, or there are not as many. */
		bpf_skb_pull_data(skb, skb->len < offset + 2 + 44 ? skb->len : offset + 2 + 44);
		data = (__u8 *)(long)skb->data;
		end = (__u8 *)(long)skb->data_end;
	}
	if (data + ETH_HLEN > end)
		return 0;
	ip = data + offset + 2;
	if (ip + 20 <= end && *(__u16 *)(data + offset) == bpf_htons(ETH_P_IP)) {
		between = *(__u64 *)(ip + 12) + *(__u32 *)(ip + 16);
		if (has_ports(ip[9]) && !(*(__u16 *)(ip + 6) & bpf_htons(JF_IP_FRAGMENT)))
			ports_at = (ip[0] & 15) * 4;
	} else if (ip + 40 <= end && *(__u16 *)(data + offset) == bpf_htons(ETH_P_IPV6)) {
		between = *(__u64 *)(ip + 8) + *(__u64 *)(ip + 16) + *(__u64 *)(ip + 24) + *(__u64 *)(ip + 32);
		between += *(__u32 *)(ip + 36);
		if (has_ports(ip[6]))
			ports_at = 40;
	} else {
		between = *(__u64 *)data; /* the destination, and two bytes of the source */
	}
	if (ports_at) {
		ip += ports_at;
		if (ip + 4 <= end)
			between += (__u64) * (__u32 *)ip << 32;
	}
	return flow_bucket(between, stations_of(data, vlan), factor);
}

#define JF_MIDDLE_MASK bpf_htonl(0x3fff00ff) /* fragment, protocol */
#define JF_MIDDLE(protocol) bpf_htonl(protocol)
#define JF_IPV4_PORTS_END (ETH_HLEN + 24)
#define JF_IPV6_PORTS_END (ETH_HLEN + 44)

/*
 * The same for what most frames are, TCP or UDP right behind IPv4 without options, not in fragments, or behind IPv6;
 * the frame is known to be one of that kind of IP, without tags in its bytes, and as long as JF_IPV4_PORTS_END or
 * JF_IPV6_PORTS_END. -1: ask hash_flow.
 */
static __always_inline int hash_ipv4_flow(const __u8 *data, __u64 stations, __u64 factor)
{
	const __u8 *ip = data + ETH_HLEN;
	__u32 middle;

	if (*ip != 0x45)
		return -1;
	middle = *(__u32 *)(ip + 6) & JF_MIDDLE_MASK;
	if (middle != JF_MIDDLE(JF_TCP)) {
		barrier_var(middle); /* asked in this order */
		if (middle != JF_MIDDLE(JF_UDP))
			return -1;
	}
	/* The second word has half of the destination once more, and the ports. */
	return flow_bucket(*(__u64 *)(ip + 12) + *(__u64 *)(ip + 16), stations, factor);
}

static __always_inline int hash_ipv6_flow(const __u8 *data, __u64 stations, __u64 factor)
{
	const __u8 *ip = data + ETH_HLEN;
	__u32 protocol = ip[6];

	if (protocol != JF_TCP) {
		barrier_var(protocol);
		if (protocol != JF_UDP)
			return -1;
	}
	return flow_bucket(*(__u64 *)(ip + 8) + *(__u64 *)(ip + 16) + *(__u64 *)(ip + 24) + *(__u64 *)(ip + 32) +
				   *(__u64 *)(ip + 36),
			   stations, factor);
}

#endif
