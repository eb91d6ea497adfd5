/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes to the learning table that the control plane asks for. They run in the kernel, so that one
 * set of functions keeps the table's accounts.
 */
#ifndef JF_CONTROL_H
#define JF_CONTROL_H

#include "fdb.h"

struct removal {
	struct jf_fdb_request request;
	__u32 affected;
};

/* A sweep frees one in so many entries of a table in which somebody below the fair share found no room. */
#define JF_SWEEP_FREES 16

static __always_inline int is_wanted(const struct jf_fdb_request *request, const struct jf_fdb_key *key,
				     const struct jf_fdb_entry *entry)
{
	__u32 bridge_id = key->bridge;

	switch (request->op) {
	case JF_FDB_FLUSH_BRIDGE:
		return bridge_id == request->bridge && !(entry->flags & JF_FDB_STATIC);
	case JF_FDB_PURGE_BRIDGE:
		return bridge_id == request->bridge;
	case JF_FDB_PURGE_PORT:
		return entry->port == request->port;
	}
	return 0;
}

static long remove_step(void *map, const void *map_key, void *map_value, void *context)
{
	struct jf_fdb_entry *entry = map_value;
	struct removal *removal = context;
	struct jf_fdb_key key = *(const struct jf_fdb_key *)map_key;

	if (is_wanted(&removal->request, &key, entry) && fdb_remove(&key, entry))
		removal->affected++;
	return 0;
}

/* The table was made smaller, or somebody found no room in it. */
static __always_inline int must_give_way(const struct jf_bridge *bridge, const struct jf_bridge_state *state,
					 const struct jf_fdb_entry *entry)
{
	__u64 room = state->starved ? bridge->table_size / JF_SWEEP_FREES + 1 : 0;

	return !(entry->flags & JF_FDB_STATIC) && state->entries + room > bridge->table_size &&
	       port_entries(entry->port) > fair_share(bridge);
}

static long sweep_step(void *map, const void *map_key, void *map_value, void *context)
{
	struct jf_fdb_entry *entry = map_value;
	struct removal *removal = context;
	struct jf_fdb_key key = *(const struct jf_fdb_key *)map_key;
	__u32 bridge_id = key.bridge;
	struct jf_bridge_state *state = bpf_map_lookup_elem(&jf_bridge_state, &bridge_id);
	struct jf_bridge *bridge = bpf_map_lookup_elem(&jf_bridges, &bridge_id);
	int aged;

	if (!state || !bridge)
		return 0;
	aged = is_aged(bridge, entry, removal->request.now_ns);
	if ((aged || must_give_way(bridge, state, entry)) && fdb_retire(&key, entry->port, aged))
		removal->affected++;
	return 0;
}

static int end_starvation(__u32 bridge_id, void *context)
{
	struct jf_bridge_state *state = bpf_map_lookup_elem(&jf_bridge_state, &bridge_id);

	if (state && state->starved)
		state->starved = 0;
	return 0;
}

static __always_inline void add_static(struct jf_fdb_request *request)
{
	struct jf_fdb_entry entry = { .seen_ns = request->now_ns, .port = request->port, .flags = JF_FDB_STATIC };
	struct jf_fdb_key key = fdb_key(request->bridge, request->vlan, request->mac);
	struct jf_fdb_entry *old = bpf_map_lookup_elem(&jf_fdb, &key);
	__u32 bridge_id = key.bridge;
	struct jf_bridge_state *state = bpf_map_lookup_elem(&jf_bridge_state, &bridge_id);

	if (!state)
		return;
	if (old)
		fdb_remove(&key, old);
	note_buckets(&entry, &key);
	if (bpf_map_update_elem(&jf_fdb, &key, &entry, BPF_NOEXIST) < 0)
		return;
	add(&state->statics, 1);
	request->affected = 1;
}

static __always_inline void clear_stats(__u32 bridge_id)
{
	struct jf_bridge_state *state = bpf_map_lookup_elem(&jf_bridge_state, &bridge_id);

	if (!state)
		return;
	state->learned = 0;
	state->expired = 0;
	state->evicted = 0;
	state->moved = 0;
	state->refused = 0;
}

SEC("syscall")
int jf_fdb_control(struct jf_fdb_request *request)
{
	struct jf_fdb_entry *entry;
	struct removal removal = {};
	struct jf_fdb_key key;

	request->affected = 0;
	switch (request->op) {
	case JF_FDB_ADD_STATIC:
		add_static(request);
		return 0;
	case JF_FDB_DELETE:
		key = fdb_key(request->bridge, request->vlan, request->mac);
		entry = bpf_map_lookup_elem(&jf_fdb, &key);
		request->affected = entry && fdb_remove(&key, entry);
		return 0;
	case JF_FDB_CLEAR_STATS:
		clear_stats(request->bridge);
		return 0;
	}
	removal.request = *request;
	if (request->op == JF_FDB_SWEEP) {
		bpf_for_each_map_elem(&jf_fdb, sweep_step, &removal, 0);
		bpf_loop(JF_MAX_BRIDGES, end_starvation, NULL, 0);
	} else {
		bpf_for_each_map_elem(&jf_fdb, remove_step, &removal, 0);
	}
	request->affected = removal.affected;
	return 0;
}

#endif
