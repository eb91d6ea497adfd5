/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps: configuration that the control plane writes, and state that the data plane writes. */
#ifndef JF_MAPS_H
#define JF_MAPS_H

#include "abi.h"

#define JF_MAP(name, map_type, key_type, value_type, entries) \
	struct { \
		__uint(type, map_type); \
		__uint(max_entries, entries); \
		__type(key, key_type); \
		__type(value, value_type); \
	} name SEC(".maps")

#define JF_SPARSE_MAP(name, map_type, key_type, value_type, entries) \
	struct { \
		__uint(type, map_type); \
		__uint(max_entries, entries); \
		__uint(map_flags, BPF_F_NO_PREALLOC); \
		__type(key, key_type); \
		__type(value, value_type); \
	} name SEC(".maps")

/* Configuration. */
JF_MAP(jf_ingress_low, BPF_MAP_TYPE_ARRAY, __u32, struct jf_ingress, JF_LOW_IFINDEX);
JF_MAP(jf_ingress_high, BPF_MAP_TYPE_HASH, __u32, struct jf_ingress, JF_MAX_IFACES);
JF_MAP(jf_ifaces, BPF_MAP_TYPE_ARRAY, __u32, struct jf_iface, JF_MAX_IFACES);
JF_MAP(jf_ports, BPF_MAP_TYPE_ARRAY, __u32, struct jf_port, JF_MAX_PORTS);
JF_SPARSE_MAP(jf_port_vlans, BPF_MAP_TYPE_HASH, __u32, struct jf_vlan_set, JF_MAX_PORTS);
JF_MAP(jf_bridges, BPF_MAP_TYPE_ARRAY, __u32, struct jf_bridge, JF_MAX_BRIDGES);
JF_SPARSE_MAP(jf_bridge_flood, BPF_MAP_TYPE_HASH, __u32, struct jf_vlan_set, JF_MAX_BRIDGES);
JF_SPARSE_MAP(jf_flood_lists, BPF_MAP_TYPE_HASH, struct jf_flood_key, struct jf_flood_list,
	      JF_MAX_FLOOD_LISTS);
JF_MAP(jf_flood_cells, BPF_MAP_TYPE_ARRAY, __u32, struct jf_flood_cell, JF_MAX_FLOOD_CELLS);
JF_SPARSE_MAP(jf_names, BPF_MAP_TYPE_HASH, struct jf_name_key, struct jf_name,
	      JF_MAX_BRIDGES + JF_MAX_PORTS + JF_MAX_IFACES + JF_MAX_BONDS);

JF_SPARSE_MAP(jf_guards, BPF_MAP_TYPE_HASH, __u32, struct jf_guard, JF_MAX_PORTS);
JF_MAP(jf_configured, BPF_MAP_TYPE_ARRAY, __u32, __u64, 1);

/* Configuration and state. */
JF_MAP(jf_bonds, BPF_MAP_TYPE_ARRAY, __u32, struct jf_bond, JF_MAX_BONDS);

/* State. */
JF_SPARSE_MAP(jf_fdb, BPF_MAP_TYPE_HASH, struct jf_fdb_key, struct jf_fdb_entry, JF_MAX_FDB_ENTRIES);
JF_MAP(jf_fdb_log, BPF_MAP_TYPE_ARRAY, __u32, struct jf_fdb_key, JF_FDB_LOG_SIZE);
JF_MAP(jf_fdb_log_at, BPF_MAP_TYPE_ARRAY, __u32, __u64, 1);
JF_MAP(jf_address_changes, BPF_MAP_TYPE_ARRAY, __u32, struct jf_address_changes, 1);
JF_MAP(jf_bridge_state, BPF_MAP_TYPE_ARRAY, __u32, struct jf_bridge_state, JF_MAX_BRIDGES);
JF_MAP(jf_port_state, BPF_MAP_TYPE_ARRAY, __u32, struct jf_port_state, JF_MAX_PORTS);
JF_MAP(jf_guard_state, BPF_MAP_TYPE_ARRAY, __u32, struct jf_guard_state, JF_MAX_PORTS);
JF_MAP(jf_counters, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct jf_counters, JF_MAX_IFACES);
JF_MAP(jf_bond_loads, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct jf_bond_load, JF_MAX_BONDS);
JF_SPARSE_MAP(jf_lacp, BPF_MAP_TYPE_HASH, __u32, struct jf_lacp, JF_MAX_IFACES);
JF_SPARSE_MAP(jf_upcall_rates, BPF_MAP_TYPE_HASH, __u32, struct jf_upcall_rate, JF_MAX_IFACES);
JF_MAP(jf_moves, BPF_MAP_TYPE_LRU_HASH, struct jf_move_key, struct jf_moves, JF_MAX_MOVES);
JF_MAP(jf_storms, BPF_MAP_TYPE_LRU_HASH, struct jf_move_key, struct jf_storm_moves, JF_MAX_MOVES);
JF_SPARSE_MAP(jf_damped, BPF_MAP_TYPE_HASH, __u32, struct jf_damped, JF_MAX_PORTS);
JF_MAP(jf_watch, BPF_MAP_TYPE_ARRAY, __u32, struct jf_watch, 1);
JF_SPARSE_MAP(jf_disabled, BPF_MAP_TYPE_HASH, __u32, struct jf_disabled, JF_MAX_PORTS);
JF_MAP(jf_switch, BPF_MAP_TYPE_ARRAY, __u32, struct jf_switch, 1);
JF_SPARSE_MAP(jf_drops, BPF_MAP_TYPE_PERCPU_HASH, struct jf_drop_key, __u64, 65536);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, JF_UPCALL_RING);
} jf_upcalls SEC(".maps");

/* What a recording program decided, and the time it is told. */
JF_MAP(jf_record, BPF_MAP_TYPE_ARRAY, __u32, struct jf_decision, JF_RECORD_SIZE);
JF_MAP(jf_recorder, BPF_MAP_TYPE_ARRAY, __u32, struct jf_recorder, 1);

/* For programs that have changed what decisions are made from: none that was kept holds any more. */
static __always_inline void end_kept_decisions(void)
{
	__u32 zero = 0;
	__u64 *configured = bpf_map_lookup_elem(&jf_configured, &zero);

	if (configured)
		__sync_fetch_and_add(configured, 1);
}

static __always_inline int vlan_set_has(void *map, __u32 id, __u16 vid)
{
	struct jf_vlan_set *set = bpf_map_lookup_elem(map, &id);

	return set && (set->bits[(vid >> 6) & 63] >> (vid & 63)) & 1;
}

#endif
