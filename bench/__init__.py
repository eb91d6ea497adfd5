"""Measures Jackfield beside its peers: `scripts/bench`."""
