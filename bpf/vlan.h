/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * VLAN rules of a port, as ovs-vswitchd.conf.db(5) has them in table Port: what is admitted, which VLAN
 * a frame belongs to inside the bridge, and which tags it leaves with. jackfield.model.vlan is the same in Python.
 */
#ifndef JF_VLAN_H
#define JF_VLAN_H

#include "frame.h"
#include "maps.h"

static __always_inline __u32 with_default_tpid(__u32 tag)
{
	return TAG_TPID(tag) ? tag : tag | (__u32)ETH_P_8021Q << 16;
}

static __always_inline void push_tag(struct tag_stack *stack, __u32 tag)
{
	switch (stack->count) {
	case 0:
		stack->tag[0] = tag;
		break;
	case 1:
		stack->tag[1] = tag;
		break;
	case 2:
		stack->tag[2] = tag;
		break;
	default:
		stack->tag[3] = tag;
	}
	stack->count++;
}

static __always_inline void know_tags(const struct tag_stack *stack, __u32 limit, struct known_tags *known)
{
	known->count = stack->count < limit ? stack->count : limit;
	known->tag[0] = outer_tag(stack);
	known->tag[1] = known->count > 1 ? second_tag(stack) : 0;
}

/* Whether the port takes in a frame of this VLAN. Returns a drop reason. */
static __always_inline int refuse_vlan(const struct jf_port *port, __u32 port_id, __u16 vid)
{
	switch (port->vlan_mode) {
	case JF_VLAN_ACCESS:
		return vid ? JF_DROP_VLAN_TAGGED_ON_ACCESS : JF_DROP_NONE;
	case JF_VLAN_DOT1Q_TUNNEL:
		if (port->flags & JF_PORT_SOME_CVLANS && !vlan_set_has(&jf_port_vlans, port_id, vid))
			return JF_DROP_VLAN_CUSTOMER_REFUSED;
		return JF_DROP_NONE;
	case JF_VLAN_NATIVE_TAGGED:
	case JF_VLAN_NATIVE_UNTAGGED:
		if (!vid)
			return JF_DROP_NONE;
	}
	if (port->flags & JF_PORT_SOME_VLANS && !vlan_set_has(&jf_port_vlans, port_id, vid))
		return JF_DROP_VLAN_NOT_TRUNKED;
	return JF_DROP_NONE;
}

static __always_inline void enter_vlan(const struct jf_port *port, const struct known_tags *known,
				       struct inside_tags *inside)
{
	__u32 outer = known->tag[0];

	inside->tag[0] = outer;
	inside->tag[1] = known->tag[1];
	inside->tag[2] = 0;
	inside->count = known->count;
	switch (port->vlan_mode) {
	case JF_VLAN_TRUNK:
		return;
	case JF_VLAN_DOT1Q_TUNNEL:
		inside->tag[2] = inside->tag[1];
		inside->tag[1] = outer;
		inside->tag[0] = (__u32)port->qinq_tpid << 16 | port->tag;
		inside->count++;
		return;
	case JF_VLAN_ACCESS:
		inside->tag[1] = 0;
		inside->count = 1;
		break;
	default:
		if (TAG_VID(outer))
			return;
		if (!inside->count)
			inside->count = 1;
	}
	inside->tag[0] = with_default_tpid((outer & 0xffffe000) | port->tag);
}

/* Whether a frame is flooded to the port, given that the port is in the list of the frame's VLAN. */
static __always_inline int includes_vlan(const struct jf_port *port, __u32 port_id, const struct inside_tags *inside)
{
	if (port->vlan_mode == JF_VLAN_ACCESS)
		return TAG_VID(inside->tag[1]) == 0;
	if (port->vlan_mode == JF_VLAN_DOT1Q_TUNNEL && port->flags & JF_PORT_SOME_CVLANS)
		return vlan_set_has(&jf_port_vlans, port_id, TAG_VID(inside->tag[1]));
	return 1;
}

/* A tag that says neither VLAN nor priority is sent only where priority tags are always sent. */
static __always_inline int is_kept(const struct jf_port *port, __u32 tag)
{
	return (tag & 0xefff) || (port->priority_tags == JF_PRIORITY_TAGS_ALWAYS && TAG_TPID(tag));
}

/* Most frames come without tags and leave without: what leave_vlan would find out the long way. */
static __always_inline int stays_untagged(const struct jf_port *port, const struct tag_stack *in,
					  const struct inside_tags *inside)
{
	return !in->count && port->priority_tags == JF_PRIORITY_TAGS_NEVER &&
	       (port->vlan_mode == JF_VLAN_ACCESS || !inside->count);
}

/* Tags that are those of `in`, counted from the innermost, keep their drop eligible indicator; the
 * others have none. */
static __always_inline void keep_dei(struct tag_stack *tags, const struct tag_stack *in)
{
	int same = 1, i;

#pragma unroll
	for (i = 0; i < JF_MAX_TAGS; i++) {
		same = same && i < in->count && i < tags->count &&
		       TAG_NO_DEI(in->tag[i]) == TAG_NO_DEI(tags->tag[i]);
		tags->tag[i] = same ? in->tag[i] : TAG_NO_DEI(tags->tag[i]);
	}
}

/* The tags with which a frame leaves by the port: `in` is what it came in with, of which `known`
 * were understood; those below stay. Returns a drop reason. */
__noinline int leave_vlan(const struct jf_port *port, const struct tag_stack *in, const struct known_tags *known,
			  const struct inside_tags *inside, struct tag_stack *out)
{
	__u32 first, second, third, count;
	int pushed;

	if (!port || !in || !known || !inside || !out)
		return JF_DROP_VLAN_EDIT_FAILED;
	first = inside->tag[0];
	second = inside->tag[1];
	third = inside->tag[2];
	count = inside->count;
	if (port->vlan_mode == JF_VLAN_ACCESS) {
		first = second = third = count = 0;
	} else if (port->vlan_mode == JF_VLAN_DOT1Q_TUNNEL ||
		   (port->vlan_mode == JF_VLAN_NATIVE_UNTAGGED && TAG_VID(first) == port->tag)) {
		first = second;
		second = third;
		third = 0;
		if (count)
			count--;
	}
	if (port->priority_tags != JF_PRIORITY_TAGS_NEVER) {
		first = (first & 0xffff1fff) | TAG_PCP(known->tag[0]);
		if (!count)
			count = 1;
	}
	*out = *in;
	out->count -= known->count;
	if (!count || !is_kept(port, first))
		return JF_DROP_NONE;

	/* One tag pushed on top of all that came in leaves these alone, even empty ones. */
	pushed = count == known->count + 1 && second == known->tag[0] && third == known->tag[1];
	if (count > 1 && !pushed && !is_kept(port, second))
		count = 1;
	if (count > 2 && !pushed && !is_kept(port, third))
		count = 2;
	if (out->count + count > JF_MAX_TAGS)
		return JF_DROP_VLAN_EDIT_FAILED;
	if (count > 2)
		push_tag(out, with_default_tpid(third));
	if (count > 1)
		push_tag(out, with_default_tpid(second));
	push_tag(out, with_default_tpid(first));
	keep_dei(out, in);
	return JF_DROP_NONE;
}

#endif
