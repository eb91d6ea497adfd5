/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The learning table (IEEE 802.1Q, 8.8): who was seen where. Age is judged at look-up, so that a late
 * sweep misdirects nothing. When a bridge's table is full, a port that holds more than its fair share
 * gives way, whoever floods it. jackfield.model.fdb is the same in Python.
 */
#ifndef JF_FDB_H
#define JF_FDB_H

#include "bondhash.h"
#include "frame.h"
#include "loops.h"
#include "maps.h"
#include "security.h"
#include "stormwatch.h"

#define JF_STAMP_INTERVAL_NS 1000000000ULL
#define JF_ARP_LOCK_NS 5000000000ULL
/* Looked at for one that gives way: so many of the newest, then one in turn of those learned of late and of
 * all that the log has. */
#define JF_EVICTION_NEWEST 8
#define JF_EVICTION_SAMPLES 24
#define JF_EVICTION_RECENT 1024

static __always_inline struct jf_fdb_key fdb_key(__u16 bridge, __u16 vlan, const __u8 *mac)
{
	struct jf_fdb_key key = { .bridge = bridge, .vlan = vlan };
	const __u16 *from = (const __u16 *)mac;
	__u16 *to = (__u16 *)key.mac;

	/* Byte by byte otherwise: the compiler knows of no alignment. */
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	return key;
}

static __always_inline int is_aged(const struct jf_bridge *bridge, const struct jf_fdb_entry *entry, __u64 now_ns)
{
	/* Another CPU may have stamped the entry after this one read the clock. */
	return !(entry->flags & JF_FDB_STATIC) && (__s64)(now_ns - entry->seen_ns) >= (__s64)bridge->ageing_ns;
}

static __always_inline void add(__u64 *counter, __s64 amount)
{
	__sync_fetch_and_add(counter, amount);
}

static __always_inline void count_port_entry(__u32 port, __s64 amount)
{
	struct jf_port_state *state = bpf_map_lookup_elem(&jf_port_state, &port);

	if (!state)
		return;
	add(&state->entries, amount);
	if (amount > 0)
		add(&state->learned, 1);
}

static __always_inline void count_port_refusal(__u32 port)
{
	struct jf_port_state *state = bpf_map_lookup_elem(&jf_port_state, &port);

	if (state)
		add(&state->refused, 1);
}

/* Where in jf_address_changes an address counts, by its last two bytes. */
static __always_inline __u32 change_cell(__u16 end)
{
	return end >> 6 & (JF_CHANGE_CELLS - 1);
}

/* Ends the decisions kept about an address, after it has moved or was removed. */
static __always_inline void note_address_change(const __u8 *mac)
{
	__u32 zero = 0;
	struct jf_address_changes *changes = bpf_map_lookup_elem(&jf_address_changes, &zero);

	if (changes)
		__sync_fetch_and_add(&changes->count[change_cell(*(const __u16 *)(mac + 4))], 1);
}

/* Takes an entry out of the table and the accounts. Returns whether this call was the one to do it. */
static __always_inline int fdb_remove(struct jf_fdb_key *key, const struct jf_fdb_entry *entry)
{
	__u32 port = entry->port, flags = entry->flags, bridge_id = key->bridge;
	struct jf_bridge_state *state = bpf_map_lookup_elem(&jf_bridge_state, &bridge_id);

	if (!state || bpf_map_delete_elem(&jf_fdb, key) < 0)
		return 0;
	note_address_change(key->mac);
	if (flags & JF_FDB_STATIC) {
		add(&state->statics, -1);
	} else {
		add(&state->entries, -1);
		count_port_entry(port, -1);
	}
	return 1;
}

/* Takes a port's entry that has aged, or has to give way, out of the table. Returns whether this call was the one to
 * do it. */
__noinline int fdb_retire(const struct jf_fdb_key *address, __u32 port, int aged)
{
	struct jf_bridge_state *state;
	struct jf_port_state *owner;
	struct jf_fdb_key key;
	__u32 bridge_id;

	if (!address)
		return 0;
	/* Kernel 6.1 takes map keys only from this function's own stack. */
	key = *address;
	bridge_id = key.bridge;
	state = bpf_map_lookup_elem(&jf_bridge_state, &bridge_id);
	owner = bpf_map_lookup_elem(&jf_port_state, &port);
	if (!state || !owner || bpf_map_delete_elem(&jf_fdb, &key) < 0)
		return 0;
	note_address_change(key.mac);
	add(&state->entries, -1);
	add(&owner->entries, -1);
	if (aged) {
		add(&state->expired, 1);
	} else {
		add(&state->evicted, 1);
		add(&owner->evicted, 1);
	}
	return 1;
}

static __always_inline __u64 port_entries(__u32 port)
{
	struct jf_port_state *state = bpf_map_lookup_elem(&jf_port_state, &port);

	return state ? state->entries : 0;
}

static __always_inline __u64 fair_share(const struct jf_bridge *bridge)
{
	return bridge->table_size / (bridge->port_count ? bridge->port_count : 1);
}

/* Which of the logged addresses to look at, counted back from the newest. */
static __always_inline __u64 sample(__u32 attempt, __u64 logged_count)
{
	__u64 window = attempt & 1 ? JF_FDB_LOG_SIZE : JF_EVICTION_RECENT;

	if (attempt < JF_EVICTION_NEWEST)
		return attempt;
	return bpf_get_prandom_u32() % (window < logged_count ? window : logged_count | 1);
}

/* The logged address of that number; its bridge is 0 when it is of another one than wanted. */
static __always_inline struct jf_fdb_key logged_address(__u32 bridge_id, __u32 number)
{
	__u32 at = number & (JF_FDB_LOG_SIZE - 1);
	const struct jf_fdb_key *logged = bpf_map_lookup_elem(&jf_fdb_log, &at);

	return logged && logged->bridge == bridge_id ? *logged : (struct jf_fdb_key){};
}

/* Retires the logged address of that number if it may go: it has aged, or is the `greedy` port's, or, when there is none
 * such, that of a port with more than its share. Returns whether it went. */
__noinline int fdb_give_way(__u32 bridge_id, __u32 number, __u32 greedy, __u64 share, __u64 now_ns)
{
	struct jf_bridge *bridge = bpf_map_lookup_elem(&jf_bridges, &bridge_id);
	struct jf_fdb_key key = logged_address(bridge_id, number);
	struct jf_fdb_entry *entry;
	int aged;

	if (!bridge || !key.bridge)
		return 0;
	entry = bpf_map_lookup_elem(&jf_fdb, &key);
	if (!entry || entry->flags & JF_FDB_STATIC)
		return 0;
	aged = is_aged(bridge, entry, now_ns);
	if (!aged && (greedy ? entry->port != greedy : port_entries(entry->port) <= share))
		return 0;
	return fdb_retire(&key, entry->port, aged);
}

/* Makes room for one entry of `learner` in a full table: looks among the addresses learned of late, which
 * are mostly those of whoever fills it. */
__noinline int fdb_make_room(__u32 bridge_id, __u32 learner, __u64 now_ns)
{
	struct jf_bridge *bridge = bpf_map_lookup_elem(&jf_bridges, &bridge_id);
	struct jf_bridge_state *state = bpf_map_lookup_elem(&jf_bridge_state, &bridge_id);
	__u32 zero = 0;
	__u64 *log_at = bpf_map_lookup_elem(&jf_fdb_log_at, &zero);
	__u64 share, logged_count;
	__u32 greedy, i;

	if (!bridge || !state || !log_at)
		return 0;
	logged_count = *log_at;
	share = fair_share(bridge);
	greedy = port_entries(learner) > share ? learner : 0;
	for (i = 0; i < JF_EVICTION_SAMPLES; i++)
		if (fdb_give_way(bridge_id, logged_count - 1 - sample(i, logged_count), greedy, share, now_ns))
			return 1;
	if (!greedy)
		state->starved = 1;
	return 0;
}

/* Retires the logged address of that number if it is the port's and has aged. Returns whether it went. */
__noinline int fdb_expire(__u32 bridge_id, __u32 number, __u32 port, __u64 now_ns)
{
	struct jf_bridge *bridge = bpf_map_lookup_elem(&jf_bridges, &bridge_id);
	struct jf_fdb_key key = logged_address(bridge_id, number);
	struct jf_fdb_entry *entry;

	if (!bridge || !key.bridge)
		return 0;
	entry = bpf_map_lookup_elem(&jf_fdb, &key);
	return entry && entry->port == port && is_aged(bridge, entry, now_ns) && fdb_retire(&key, port, 1);
}

/* Removes an entry of the port that has aged, if one is found among the addresses learned of late. */
__noinline int fdb_expire_one(__u32 bridge_id, __u32 port, __u64 now_ns)
{
	__u32 zero = 0, newest, i;
	__u64 *log_at = bpf_map_lookup_elem(&jf_fdb_log_at, &zero);

	if (!log_at)
		return 0;
	newest = *log_at - 1;
	for (i = 0; i < JF_EVICTION_SAMPLES; i++)
		if (fdb_expire(bridge_id, newest - sample(i, newest + 1), port, now_ns))
			return 1;
	return 0;
}

/* So that balancing by source costs little: an entry lives longer than a frame. */
static __always_inline void note_buckets(struct jf_fdb_entry *entry, const struct jf_fdb_key *key)
{
	__u64 source = source_number(key->mac);

	entry->bucket = hash_source(source, key->vlan, 0);
	entry->bucket_untagged = hash_source(source, 0, 0);
	entry->flags |= JF_FDB_HASHED;
}

/* Flags and buckets as one number. */
static __always_inline __u32 entry_word(const struct jf_fdb_entry *entry)
{
	return *(__u32 *)&entry->flags;
}

#define ENTRY_BUCKET(word) ((word) >> 16 & 0xff)
#define ENTRY_BUCKET_UNTAGGED(word) ((word) >> 24)

/* Returns the entry_word; 0 if there was no room, or it is there already. */

__noinline int fdb_insert(const struct jf_fdb_key *address, __u32 port, __u64 now_ns)
{
	struct jf_fdb_entry entry = { .seen_ns = now_ns, .port = port };
	struct jf_bridge_state *state;
	struct jf_bridge *bridge;
	struct jf_fdb_key key;
	__u32 id = 0;
	__u64 *log_at;

	if (!address)
		return 0;
	/* Kernel 6.1 takes map keys only from this function's own stack. */
	key = *address;
	log_at = bpf_map_lookup_elem(&jf_fdb_log_at, &id);
	id = key.bridge;
	bridge = bpf_map_lookup_elem(&jf_bridges, &id);
	state = bpf_map_lookup_elem(&jf_bridge_state, &id);
	if (!bridge || !state || !log_at)
		return 0;
	if (__sync_fetch_and_add(&state->entries, 1) >= bridge->table_size && !fdb_make_room(id, port, now_ns)) {
		add(&state->entries, -1);
		add(&state->refused, 1);
		count_port_refusal(port);
		return 0;
	}
	note_buckets(&entry, &key);
	if (bpf_map_update_elem(&jf_fdb, &key, &entry, BPF_NOEXIST) < 0) {
		/* Another CPU was faster, or the kernel is out of memory. */
		add(&state->entries, -1);
		return 0;
	}
	count_port_entry(port, 1);
	add(&state->learned, 1);
	id = __sync_fetch_and_add(log_at, 1) & (JF_FDB_LOG_SIZE - 1);
	bpf_map_update_elem(&jf_fdb_log, &id, &key, BPF_ANY);
	return entry_word(&entry);
}

/* A known address was seen elsewhere, or after it had aged. Returns the port that it has moved from, or 0. */
__noinline int fdb_relearn(struct jf_fdb_entry *entry, __u32 bridge_id, __u32 port, __u64 now_ns, int aged)
{
	struct jf_bridge_state *state = bpf_map_lookup_elem(&jf_bridge_state, &bridge_id);
	__u32 old;

	if (!state || !entry)
		return 0;
	old = entry->port;
	entry->seen_ns = now_ns;
	if (aged)
		add(&state->learned, 1);
	if (old == port || __sync_val_compare_and_swap(&entry->port, old, port) != old)
		return 0;
	count_port_entry(old, -1);
	count_port_entry(port, 1);
	if (aged)
		return 0;
	add(&state->moved, 1);
	return old;
}

struct arp_start {
	__be16 type; /* of Ethernet, before the ARP packet */
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
};

/* Whether ARP of IPv4 is announced by broadcast: any reply, or a request for the sender's own address. */
__noinline int is_broadcast_announcement(struct __sk_buff *skb, __u32 offset)
{
	struct arp_start arp;

	if (bpf_skb_load_bytes(skb, offset, &arp, sizeof(arp)) < 0)
		return 0;
	if (arp.type != bpf_htons(ETH_P_ARP) || arp.hardware != bpf_htons(1) ||
	    arp.protocol != bpf_htons(ETH_P_IP) || arp.hardware_length != 6 || arp.protocol_length != 4)
		return 0;
	if (arp.operation == bpf_htons(2))
		return 1;
	return arp.operation == bpf_htons(1) && *(__u32 *)arp.sender == *(__u32 *)arp.target;
}

static __always_inline int is_gratuitous_arp(struct __sk_buff *skb, struct pass *pass)
{
	return *(__u32 *)pass->dst == 0xffffffff && *(__u16 *)(pass->dst + 4) == 0xffff &&
	       is_broadcast_announcement(skb, type_offset(skb, pass));
}

static __always_inline int is_learnable(const struct jf_bridge *bridge, __u32 bridge_id, __u16 vlan)
{
	return !(bridge->flags & JF_BRIDGE_FLOOD_VLANS) || !vlan_set_has(&jf_bridge_flood, bridge_id, vlan);
}

/* What is known ends with the entry's age. */
static __always_inline void limit_until(struct pass *pass, const struct jf_bridge *bridge,
					const struct jf_fdb_entry *entry)
{
	__u64 aged_ns = entry->seen_ns + bridge->ageing_ns;

	if (!(entry->flags & JF_FDB_STATIC) && aged_ns < pass->until_ns)
		pass->until_ns = aged_ns;
}

/* Takes note of where the source was seen, if it is one that `learns`. Returns a drop reason: the frame may be a
 * reflection, or its source may belong to another port. */
static __always_inline int fdb_learn(struct __sk_buff *skb, struct pass *pass, const struct jf_bridge *bridge,
				     __u16 bridge_id, __u16 vlan, __u32 port, const struct jf_port *in_port, int unless_moved, int learns)
{
	struct jf_fdb_key key = fdb_key(bridge_id, vlan, pass->src);
	struct jf_fdb_entry *entry = bpf_map_lookup_elem(&jf_fdb, &key);
	__u64 locked_ns = 0;
	__u32 from;
	int aged;

	if (bridge->flags & JF_BRIDGE_BONDED &&
	    (pass->dst[0] & 1 || (unless_moved && entry && entry->port != port))) {
		int announced = is_gratuitous_arp(skb, pass);
		int locked = entry && pass->now_ns < entry->locked_ns;

		if (unless_moved && entry && entry->port != port && (!announced || locked) &&
		    !is_aged(bridge, entry, pass->now_ns))
			return JF_DROP_BOND_MOVED;
		/* What is announced on a port comes back from the switch behind a bond, and is not to be believed
		 * there. */
		if (announced && !(in_port->flags & JF_PORT_BOND))
			locked_ns = pass->now_ns + JF_ARP_LOCK_NS;
		else if (announced && locked)
			port = entry->port;
	}
	if (!entry) {
		if (!learns)
			return JF_DROP_NONE;
		pass->source = fdb_insert(&key, port, pass->now_ns);
		entry = locked_ns ? bpf_map_lookup_elem(&jf_fdb, &key) : NULL;
		if (entry)
			entry->locked_ns = locked_ns;
		return JF_DROP_NONE;
	}
	pass->source = entry_word(entry);
	if (entry->flags & JF_FDB_STATIC) {
		pass->until_ns = pass->now_ns + JF_STAMP_INTERVAL_NS;
		return JF_DROP_NONE;
	}
	aged = is_aged(bridge, entry, pass->now_ns);
	if (aged || entry->port != port) {
		if (!aged && keeps_addresses(entry->port))
			return note_offence(&key, port, JF_DROP_MAC_STICKY, pass->now_ns);
		if (!learns)
			return JF_DROP_NONE;
		from = fdb_relearn(entry, bridge_id, port, pass->now_ns, aged);
		note_address_change(key.mac);
		if (from) {
			note_move(from, port, vlan, pass->in_iface, pass->now_ns);
			note_storm(from, port, vlan, pass->now_ns);
		}
	} else {
		if ((__s64)(pass->now_ns - entry->seen_ns) >= (__s64)JF_STAMP_INTERVAL_NS)
			entry->seen_ns = pass->now_ns;
		pass->until_ns = entry->seen_ns + JF_STAMP_INTERVAL_NS;
		limit_until(pass, bridge, entry);
	}
	if (locked_ns)
		entry->locked_ns = locked_ns;
	return JF_DROP_NONE;
}

/* The port behind which an address is; 0 when that is not known. */
static __always_inline __u32 fdb_lookup(struct pass *pass, const struct jf_bridge *bridge, __u16 bridge_id,
					__u16 vlan)
{
	struct jf_fdb_key key = fdb_key(bridge_id, vlan, pass->dst);
	struct jf_fdb_entry *entry = bpf_map_lookup_elem(&jf_fdb, &key);

	if (!entry || is_aged(bridge, entry, pass->now_ns))
		return 0;
	limit_until(pass, bridge, entry);
	return entry->port;
}

#endif
