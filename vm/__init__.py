"""Commands run inside an emulated Debian kernel, over this machine's files: scripts/vm."""
