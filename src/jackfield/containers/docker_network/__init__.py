"""A network driver for Docker: networks whose containers are on a bridge of the switch, by internal ports."""
