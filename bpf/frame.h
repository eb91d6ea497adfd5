/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A frame on its way through the switch: its addresses, the VLAN tags it carries now, and the edits
 * that give it others.
 */
#ifndef JF_FRAME_H
#define JF_FRAME_H

#include "abi.h"

#define ETH_HLEN 14
#define VLAN_HLEN 4
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88a8
#define ETH_P_IP 0x0800
#define ETH_P_ARP 0x0806
#define ETH_P_IPV6 0x86dd
#define ETH_P_SLOW 0x8809

/* A tag is TPID << 16 | TCI, in host byte order; 0 is no tag. */
#define TAG_VID(tag) ((tag) & 0x0fff)
#define TAG_PCP(tag) ((tag) & 0xe000)
#define TAG_TCI(tag) ((tag) & 0xffff)
#define TAG_TPID(tag) ((tag) >> 16)
#define TAG_NO_DEI(tag) ((tag) & 0xffffefff)

/* The innermost tag first, so that pushing and popping happen at the end. */
struct tag_stack {
	__u32 tag[JF_MAX_TAGS];
	__u32 count;
};

/* The tags of one frame that the switch understands, the outermost first; 0 where there is none. */
struct known_tags {
	__u32 tag[2];
	__u32 count;
};

/* The tags of a frame inside a bridge, the outermost first. The outermost names the VLAN. */
struct inside_tags {
	__u32 tag[3];
	__u32 count;
};

/* A frame about to enter a bridge by a port. */
struct arrival {
	struct tag_stack tags;
	__u16 iface;
	__u16 port;
	__u32 hops; /* bridges passed, this one included */
};

#define JF_ARRIVALS 32 /* a power of two, more than JF_MAX_PATCH_QUEUE */

/* One frame's pass through the switch. */
struct pass {
	__u64 now_ns;
	__u64 until_ns;           /* how long what was learned stays as it is; 0: it is not known */
	__u64 factor;             /* of hashes of the bond that deals the frame's flow out */
	struct tag_stack tags;    /* what the buffer carries now */
	struct tag_stack pending; /* what it is to carry when it leaves by pending_iface */
	struct tag_stack leaving; /* what it is to carry when it leaves by the port that is seen to */
	__u32 untagged_length;    /* of the frame without the tags in `tags` */
	__u16 bridge;             /* where it is now */
	__u16 in_iface;           /* where the frame entered the switch */
	__u16 pending_iface;      /* the last output decided, not yet sent; 0: none */
	__u16 pending_vlan;
	__u8 payload_tagged;      /* behind the tags in `tags` stands one more, taken as payload */
	__u8 unicast;             /* the only output is the one to a known address */
	__u8 dst[6];
	__u8 src[6];
	__u8 member;              /* of the bond by which the frame entered the switch */
	__u8 deal;                /* enum deal; with any but DEAL_NONE: */
	__u16 bond;               /* the number of the one that deals it out */
	__u8 bucket;              /* of its source there */
	__u32 samples;            /* see is_sample: a number for each frame that entered there on this CPU */
	__u32 source;             /* flags and buckets of the source's entry in the learning table; 0: not known */
	struct known_tags known;  /* in the bridge where it is */
	struct inside_tags inside;
	__u32 sending;            /* a copy is on its way out, and may enter the switch again meanwhile */
	__u32 arrivals;           /* in bridges: the first one, then those through patch ports */
	struct arrival queue[JF_ARRIVALS];
};

static __always_inline int is_vlan_type(__u16 type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

static __always_inline __u32 outer_tag(const struct tag_stack *stack)
{
	switch (stack->count) {
	case 0:
		return 0;
	case 1:
		return stack->tag[0];
	case 2:
		return stack->tag[1];
	case 3:
		return stack->tag[2];
	default:
		return stack->tag[3];
	}
}

/* The tag below the outermost. */
static __always_inline __u32 second_tag(const struct tag_stack *stack)
{
	switch (stack->count) {
	case 0:
	case 1:
		return 0;
	case 2:
		return stack->tag[0];
	case 3:
		return stack->tag[1];
	default:
		return stack->tag[2];
	}
}

/* The most tags read from a frame; deeper ones are payload. Leaves room for one to be pushed. */
#define JF_MAX_PARSED_TAGS (JF_MAX_TAGS - 1)

/* Tags that stand in the bytes: all but the one that the kernel took out. */
static __noinline int parse_inline_tags(struct __sk_buff *skb, struct pass *pass)
{
	__u32 first = pass->tags.tag[0], second = 0, third = 0;
	__u32 count = pass->tags.count, offset = 12;
	__u16 word[3];
	int i;

	for (i = 0; i < JF_MAX_PARSED_TAGS; i++) {
		__u32 tag;

		if (count >= JF_MAX_PARSED_TAGS)
			break;
		if (bpf_skb_load_bytes(skb, offset, word, sizeof(word)) < 0) {
			/* Shorter than a tag and the type behind it. */
			if (count == 0)
				return JF_DROP_VLAN_TRUNCATED;
			break;
		}
		tag = (__u32)bpf_ntohs(word[0]) << 16 | bpf_ntohs(word[1]);
		if (count == 0)
			first = tag;
		else if (count == 1)
			second = tag;
		else
			third = tag;
		count++;
		offset += VLAN_HLEN;
		pass->untagged_length -= VLAN_HLEN;
		pass->payload_tagged = is_vlan_type(bpf_ntohs(word[2]));
		if (!pass->payload_tagged)
			break;
	}
	pass->tags.tag[0] = count == 3 ? third : count == 2 ? second : first;
	pass->tags.tag[1] = count == 3 ? second : first;
	pass->tags.tag[2] = first;
	pass->tags.count = count;
	return JF_DROP_NONE;
}

/* Reads addresses and tags. Returns a drop reason. */
static __always_inline int parse_frame(struct __sk_buff *skb, struct pass *pass)
{
	__u8 *data = (__u8 *)(long)skb->data;
	__u8 *end = (__u8 *)(long)skb->data_end;

	if (data + ETH_HLEN > end)
		return JF_DROP_RUNT;
	__builtin_memcpy(pass->dst, data, 6);
	__builtin_memcpy(pass->src, data + 6, 6);
	pass->untagged_length = skb->len;
	if (skb->vlan_present) {
		pass->tags.tag[0] = (__u32)bpf_ntohs(skb->vlan_proto) << 16 | (skb->vlan_tci & 0xffff);
		pass->tags.count = 1;
	}
	if (is_vlan_type(bpf_ntohs(*(__u16 *)(data + 12)))) {
		pass->payload_tagged = 1;
		return parse_inline_tags(skb, pass);
	}
	return JF_DROP_NONE;
}

/* Copies the start of the frame, at most `room` bytes, which is a power of two. Returns 0 or an error. */
static __always_inline long load_start(struct __sk_buff *skb, __u8 *to, __u32 room)
{
	__u32 length = skb->len;

	if (length >= room)
		return bpf_skb_load_bytes(skb, 0, to, room);
	if (!length)
		return 0;
	/* To the verifier of 6.1 a length that is not 0 may still be 0, unless it is put like this. */
	length--;
	asm volatile("" : "+r"(length));
	return bpf_skb_load_bytes(skb, 0, to, (length & (room - 1)) + 1);
}

/* Where the type stands that names the payload behind all tags in the bytes. */
static __always_inline __u32 type_offset(const struct __sk_buff *skb, const struct pass *pass)
{
	return ETH_HLEN - 2 + skb->len - pass->untagged_length;
}

static __always_inline __u32 tagged_length(const struct pass *pass, const struct tag_stack *tags)
{
	return pass->untagged_length + tags->count * VLAN_HLEN;
}

static __always_inline int same_tags(const struct tag_stack *a, const struct tag_stack *b)
{
	int i;

	if (a->count != b->count)
		return 0;
#pragma unroll
	for (i = 0; i < JF_MAX_TAGS; i++)
		if (i < a->count && a->tag[i] != b->tag[i])
			return 0;
	return 1;
}

/*
 * Functions without `static` are verified on their own, not once for each call: what is called in many
 * places, or loops, is one of them.
 *
 * Gives the buffer, which has the tags `have`, the wanted ones. Tags that are there already, counted from
 * the innermost, stay as they are; the others are popped and pushed anew.
 */
__noinline int edit_tags(struct __sk_buff *skb, struct tag_stack *have, const struct tag_stack *want)
{
	__u32 common = 0;
	int i;

	if (!have || !want)
		return -1;
#pragma unroll
	for (i = 0; i < JF_MAX_TAGS; i++)
		if (common == i && i < have->count && i < want->count && have->tag[i] == want->tag[i])
			common = i + 1;
#pragma unroll
	for (i = 0; i < JF_MAX_TAGS; i++)
		if (common + i < have->count && bpf_skb_vlan_pop(skb) < 0)
			return -1;
#pragma unroll
	for (i = 0; i < JF_MAX_TAGS; i++) {
		if (i < common || i >= want->count)
			continue;
		if (bpf_skb_vlan_push(skb, bpf_htons(TAG_TPID(want->tag[i])), TAG_TCI(want->tag[i])) < 0)
			return -1;
		have->tag[i] = want->tag[i];
	}
	have->count = want->count;
	return 0;
}

#endif
