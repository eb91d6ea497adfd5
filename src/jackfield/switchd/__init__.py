"""The switch daemon: wiring, event loop, readiness, signals. Start at `main.run`."""
