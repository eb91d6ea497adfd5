"""The scenarios as experiments: each runs in namespaces of its own, shows its commands and its checks."""
