"""The database server as a process of its own, with the command line of ovsdb-server(1)."""
