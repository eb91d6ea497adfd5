"""The database server beside OVS's own `ovsdb-server`: `scripts/bench database`."""
