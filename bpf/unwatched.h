/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bonds whose members' links nobody watches: no process does, and the kernel does not say. Whether a member takes a
 * frame shows whether it has a link. One that refuses is left for another: when a frame is to leave by it, and when one
 * comes in by a member that it is not taken from.
 */
#ifndef JF_UNWATCHED_H
#define JF_UNWATCHED_H

#include "bond.h"
#include "bondstate.h"
#include "frame.h"
#include "maps.h"
#include "output.h"

static __always_inline __u32 lowest_member(__u32 set)
{
	__u32 at;

	for (at = 0; at < JF_MAX_MEMBERS - 1; at++)
		if (set >> at & 1)
			break;
	return at;
}

#define JF_TEST_PAUSE_NS 100000000ULL /* from test to test of a bond */

/* Whether it is time to test a bond again, which is noted. A test that comes to nothing for each frame would cost much. */
static __always_inline int is_test_due(struct jf_bond *bond, __u64 now_ns)
{
	__u64 tested_ns = bond->tested_ns;

	return now_ns - tested_ns >= JF_TEST_PAUSE_NS &&
	       __sync_val_compare_and_swap(&bond->tested_ns, tested_ns, now_ns) == tested_ns;
}

struct inheritance {
	__u32 bond_id;
	__u32 lost; /* interface ids */
	__u32 heir;
};

static int inherit_bucket(__u32 at, void *context)
{
	const struct inheritance *inheritance = context;
	__u16 *way = way_of_bucket(inheritance->bond_id, at);

	if (*way == inheritance->lost)
		*way = inheritance->heir;
	return 0;
}

/* Notes that a member has lost its link. Returns the one that is to have all that was its, of those that may have a link;
 * JF_NO_MEMBER. */
__noinline int lose_member(__u32 bond_id, __u32 lost, __u32 may_hope)
{
	struct jf_bond *bond = find_bond(bond_id);
	__u32 usable;

	if (!bond || lost >= JF_MAX_MEMBERS)
		return JF_NO_MEMBER;
	__sync_fetch_and_or(&bond->down, 1U << lost & bond->present);
	usable = usable_members(bond);
	if (!usable && may_hope && is_test_due(bond, current_time())) {
		__sync_fetch_and_and(&bond->down, 1U << lost);
		usable = usable_members(bond);
	}
	return usable ? lowest_member(usable) : JF_NO_MEMBER;
}

/* For a bond none of whose members had a link when somebody watched last: they may have links again. Returns the one that
 * is to have all, `heard` if it is one; JF_NO_MEMBER. */
__noinline int revive_bond(__u32 bond_id, __u32 heard)
{
	struct jf_bond *bond = find_bond(bond_id);

	if (!bond || !bond->present || bond->lacp == JF_BOND_LACP_NEGOTIATED || bond->refusal != JF_DROP_BOND_NO_MEMBER)
		return JF_NO_MEMBER;
	if (heard >= JF_MAX_MEMBERS && !is_test_due(bond, current_time()))
		return JF_NO_MEMBER;
	__sync_fetch_and_and(&bond->down, 0);
	return heard < JF_MAX_MEMBERS && bond->present >> heard & 1 ? heard : lowest_member(usable_members(bond));
}

/* Gives all that was the `lost` member's to the heir; JF_NO_MEMBER: all that was nobody's. */
__noinline int hand_over(__u32 bond_id, __u32 lost, __u32 heir)
{
	struct jf_bond *bond = find_bond(bond_id);
	struct inheritance inheritance;

	if (!bond)
		return 0;
	heir &= JF_MAX_MEMBERS - 1;
	inheritance.bond_id = bond_id;
	inheritance.lost = lost < JF_MAX_MEMBERS ? bond->members[lost] : 0;
	inheritance.heir = bond->members[heir];
	bpf_loop(JF_BOND_BUCKETS, inherit_bucket, &inheritance, 0);
	if (lost >= JF_MAX_MEMBERS) {
		__u8 verdict = bond->mode == JF_BOND_MODE_BALANCE_SLB && bond->lacp == JF_BOND_LACP_OFF ?
				       JF_BOND_VERDICT_UNLESS_MOVED :
				       JF_BOND_VERDICT_TAKE;

		bond->to_one[heir] = verdict;
		bond->to_group[heir] = verdict;
	} else if (bond->lacp != JF_BOND_LACP_NEGOTIATED) {
		__u8 one = bond->to_one[lost], group = bond->to_group[lost];

		bond->to_one[lost] = bond->to_one[heir];
		bond->to_group[lost] = bond->to_group[heir];
		bond->to_one[heir] = one;
		bond->to_group[heir] = group;
	}
	end_kept_decisions();
	return 0;
}

/* So many are tried with one frame; the next one goes on. */
#define JF_TRIED_MEMBERS 8

/*
 * Sends a frame by a bond whose members' links nobody watches: whether the one that has the bucket takes it shows
 * whether it has a link. When none does, those that had none before may have one again. Returns a drop reason.
 */
__noinline int send_unwatched(struct __sk_buff *skb, __u32 bond_id, __u32 bucket, __u32 length)
{
	struct jf_bond *bond = find_bond(bond_id);
	struct jf_iface *iface;
	__u32 id, lost, heir, i;

	if (!bond)
		return JF_DROP_BOND_NO_MEMBER;
	for (i = 0; i < JF_TRIED_MEMBERS; i++) {
		id = *way_of_bucket(bond_id, bucket);
		iface = id ? bpf_map_lookup_elem(&jf_ifaces, &id) : NULL;
		if (iface && iface->mtu && length > iface->mtu + ETH_HLEN + VLAN_HLEN && !skb->gso_size)
			return JF_DROP_MTU_EXCEEDED;
		if (iface && iface->ifindex && bpf_clone_redirect(skb, iface->ifindex, 0) == 0) {
			count_tx(id, length);
			return JF_DROP_NONE;
		}
		lost = id ? member_of(bond_id, id) : JF_NO_MEMBER;
		heir = id ? lose_member(bond_id, lost, !i) : revive_bond(bond_id, JF_NO_MEMBER);
		if (heir == JF_NO_MEMBER)
			break;
		hand_over(bond_id, lost, heir);
	}
	return bond_refusal(bond_id);
}

#define JF_TEST_BYTES 96

/* The frame that is sent to see whether a member takes it: to an address that bridges keep to themselves (IEEE 802.1Q,
 * 8.6.3), of the type for local experiments, and nothing in it. */
static const __u8 jf_test_frame[JF_TEST_BYTES] = { 0x01, 0x80, 0xc2, 0, 0, 0x0e, 0x02, 0x6a,
						   0x66, 0,    0,    0, 0x88, 0xb5 };

/* Makes of a frame that ends here the one that is sent as a test, from the address of the switch's probes for loops.
 * Returns 0 or an error. */
static __noinline int make_test_frame(struct __sk_buff *skb)
{
	__u32 zero = 0, source_end;
	struct jf_switch *self = bpf_map_lookup_elem(&jf_switch, &zero);

	if (skb->vlan_present && bpf_skb_vlan_pop(skb) < 0)
		return -1;
	if (bpf_skb_change_tail(skb, JF_TEST_BYTES, 0) < 0 ||
	    bpf_skb_store_bytes(skb, 0, jf_test_frame, JF_TEST_BYTES, 0) < 0)
		return -1;
	source_end = bpf_htonl(0x66000000 | (self ? self->probe & 0xffffff : 0));
	return bpf_skb_store_bytes(skb, 8, &source_end, sizeof(source_end), 0);
}

/* The member that frames to groups are taken from; JF_NO_MEMBER. */
__noinline int active_member(__u32 bond_id)
{
	struct jf_bond *bond = find_bond(bond_id);
	int i;

	for (i = 0; bond && i < JF_MAX_MEMBERS; i++)
		if (bond->members[i] && bond->to_group[i] >= JF_BOND_VERDICT_UNLESS_MOVED)
			return i;
	return JF_NO_MEMBER;
}

/*
 * For a frame that is not taken since it came in by another member than the active one: looks, if nobody else does,
 * whether this one still has a link, and else has the member that the frame came in by take its place. What is sent as
 * a test is made of the frame, which ends here.
 */
__noinline int test_active(struct __sk_buff *skb, __u32 bond_id, __u32 heard, __u64 now_ns)
{
	struct jf_bond *bond = find_bond(bond_id);
	struct jf_iface *iface;
	__u32 active, heir, id;

	if (!bond || now_ns <= bond->watched_ns || bond->lacp == JF_BOND_LACP_NEGOTIATED || !is_test_due(bond, now_ns))
		return 0;
	active = active_member(bond_id);
	if (active >= JF_MAX_MEMBERS) {
		heir = revive_bond(bond_id, heard);
		return heir == JF_NO_MEMBER ? 0 : hand_over(bond_id, JF_NO_MEMBER, heir);
	}
	if (make_test_frame(skb) < 0)
		return 0;
	barrier_var(active); /* or else the compiler thinks that the verifier remembers its limit */
	id = bond->members[active & (JF_MAX_MEMBERS - 1)];
	iface = bpf_map_lookup_elem(&jf_ifaces, &id);
	if (iface && iface->ifindex && bpf_clone_redirect(skb, iface->ifindex, 0) == 0) {
		count_tx(id, JF_TEST_BYTES);
		return 0;
	}
	heard &= JF_MAX_MEMBERS - 1;
	__sync_fetch_and_and(&bond->down, ~(1U << heard));
	heir = lose_member(bond_id, active, 0);
	if (heir == JF_NO_MEMBER)
		return 0;
	return hand_over(bond_id, active, bond->enabled >> heard & 1 ? heard : heir);
}

/* Drops a frame for what its bond says of the member by which it came in. */
static __always_inline int refuse_member(struct __sk_buff *skb, struct pass *pass, __u32 iface, __u32 bond_id,
					 __u32 reason, __u32 vlan)
{
	drop(skb, pass, iface, reason ? reason : JF_DROP_BOND_INACTIVE_MEMBER, vlan);
	return test_active(skb, bond_id, pass->member, pass->now_ns);
}

#endif
