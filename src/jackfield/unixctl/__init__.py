"""The control socket that ovs-appctl(8) talks to."""
