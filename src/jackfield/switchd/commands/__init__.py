"""The daemon's control commands, in Open vSwitch's words and formats (ovs-vswitchd(8), ovs-appctl(8))."""
