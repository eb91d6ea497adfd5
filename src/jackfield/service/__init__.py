"""The switch as a service of the host: its systemd unit."""
