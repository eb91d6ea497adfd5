"""The CNI plugin: container runtimes run it to put containers on a bridge (CNI specification 1.1.0)."""
