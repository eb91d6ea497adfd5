"""Clients of a running switch, which speak to it by its public protocols only: its database and its control
socket. Every sentence that a `Failure` carries is meant for the user."""
