/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's word that a bond member's link has gone or come takes effect here, before any process hears
 * of it. A kernel without BTF or trampolines does without: then the control plane sees to it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "abi.h"
#include "bondstate.h"
#include "maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define IFF_UP 1
#define JF_STATE_NO_CARRIER 2 /* bit __LINK_STATE_NOCARRIER of net_device.state */

/* The inode number of the network namespace that the switch is in: device numbers are for each their own. */
const volatile __u32 jf_namespace = 0;

/* What is read of the kernel's own structs; the loader finds where it is. */
struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	unsigned int flags;
	unsigned long state;
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

static __always_inline struct jf_ingress *find_member(__u32 ifindex)
{
	if (ifindex >= JF_LOW_IFINDEX)
		return bpf_map_lookup_elem(&jf_ingress_high, &ifindex);
	return bpf_map_lookup_elem(&jf_ingress_low, &ifindex);
}

static __always_inline void tell(__u32 iface, int is_down)
{
	struct jf_upcall *upcall = bpf_ringbuf_reserve(&jf_upcalls, sizeof(*upcall), 0);

	if (!upcall)
		return;
	__builtin_memset(upcall, 0, sizeof(*upcall));
	upcall->time_ns = bpf_ktime_get_ns();
	upcall->iface = iface;
	upcall->kind = JF_UPCALL_CARRIER;
	upcall->length = !is_down;
	bpf_ringbuf_submit(upcall, 0);
}

static __always_inline int judge(struct net_device *dev)
{
	int is_down = !(dev->flags & IFF_UP) || (dev->state >> JF_STATE_NO_CARRIER & 1);
	struct jf_ingress *ingress;
	struct jf_bond *bond;
	struct jf_port *port;
	__u32 id, bit;

	if (dev->nd_net.net->ns.inum != jf_namespace)
		return 0;
	ingress = find_member(dev->ifindex);
	if (!ingress || !ingress->iface)
		return 0;
	id = ingress->port;
	port = bpf_map_lookup_elem(&jf_ports, &id);
	if (!port || !(port->flags & JF_PORT_BOND))
		return 0;
	id = port->iface;
	bond = find_bond(id);
	if (!bond || !(bond->flags & JF_BOND_FOLLOW_CARRIER))
		return 0;
	bit = 1U << (ingress->member & (JF_MAX_MEMBERS - 1));
	if (!(bond->down & bit) == !is_down)
		return 0;
	set_link(bond, id, ingress->member, is_down);
	tell(ingress->iface, is_down);
	return 0;
}

SEC("fexit/netif_carrier_off")
int BPF_PROG(jf_carrier_off, struct net_device *dev)
{
	return judge(dev);
}

SEC("fexit/netif_carrier_on")
int BPF_PROG(jf_carrier_on, struct net_device *dev)
{
	return judge(dev);
}

/* A device was set up or down. */
SEC("fexit/__dev_notify_flags")
int BPF_PROG(jf_flags_changed, struct net_device *dev)
{
	return judge(dev);
}
