// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which numbered frames (tests/loss/numbered.py) the kernel dropped because one of its queues was full. A receiver's own
 * buffer is not among them: it counts what it had no room for. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define RELOCATED __attribute__((preserve_access_index))

struct Qdisc {
	unsigned int flags;
} RELOCATED;

struct netdev_queue {
	struct Qdisc *qdisc;
} RELOCATED;

struct net_device {
	struct netdev_queue *_tx;
} RELOCATED;

struct sk_buff {
	struct net_device *dev;
	unsigned char *head;
	__u16 mac_header;
} RELOCATED;

#define TCQ_F_BUILTIN 1

/* Numbers differ between kernels: libbpf finds them by these names. */
enum skb_drop_reason {
	SKB_DROP_REASON_CPU_BACKLOG,
	SKB_DROP_REASON_QDISC_DROP,
	SKB_DROP_REASON_QDISC_OVERLIMIT,
	SKB_DROP_REASON_QDISC_CONGESTED,
	SKB_DROP_REASON_FULL_RING,
	SKB_DROP_REASON_NOMEM,
};

#define IS(reason, name)                                             \
	(bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_##name) && \
	 (reason) == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_##name))

struct numbered {
	__u8 macs[12];
	__be16 ethertype;
	__u8 mark[4];
	__be16 flow;
	__be64 number;
} __attribute__((packed));

struct frame {
	__u64 flow;
	__u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 17);
	__type(key, struct frame);
	__type(value, __u64);
} dropped SEC(".maps");

const volatile __u32 ethertype = 0;
const volatile __u32 mark = 0;

static __always_inline int of_full_queue(const struct sk_buff *skb, __u64 reason)
{
	if (IS(reason, QDISC_DROP))
		/* So does the queue of a device that cannot send at all, which holds nothing. */
		return !(BPF_CORE_READ(skb, dev, _tx, qdisc, flags) & TCQ_F_BUILTIN);
	return IS(reason, CPU_BACKLOG) || IS(reason, QDISC_OVERLIMIT) || IS(reason, QDISC_CONGESTED) ||
	       IS(reason, FULL_RING) || IS(reason, NOMEM);
}

/* Arguments of the tracepoint: the frame, where, why. */
SEC("raw_tp/kfree_skb")
int watch(struct bpf_raw_tracepoint_args *args)
{
	struct sk_buff *skb = (struct sk_buff *)args->args[0];
	struct frame frame = {};
	struct numbered found;
	__u64 one = 1;
	__u32 seen;

	if (!of_full_queue(skb, args->args[2]))
		return 0;
	if (bpf_probe_read_kernel(&found, sizeof(found), BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, mac_header)))
		return 0;
	__builtin_memcpy(&seen, found.mark, sizeof(seen));
	if (bpf_ntohs(found.ethertype) != ethertype || seen != mark)
		return 0;
	frame.flow = bpf_ntohs(found.flow);
	frame.number = bpf_be64_to_cpu(found.number);
	bpf_map_update_elem(&dropped, &frame, &one, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
