"""Ports for containers: attach and detach, the watcher of their lives, CNI, Docker's networks."""
