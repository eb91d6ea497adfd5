"""A switch at work, shown and proved in under a minute: `scripts/demo`."""
