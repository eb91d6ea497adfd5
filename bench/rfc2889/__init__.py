"""The benchmarks of RFC 2889 for switches, on devices that are all in one kernel."""
