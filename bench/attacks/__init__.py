"""Attacks on a switch, by the same steps on Jackfield, Open vSwitch and the Linux bridge."""
