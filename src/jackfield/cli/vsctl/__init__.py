"""`jackfield vsctl`: the commands, options, output, messages and exit codes of ovs-vsctl(8) 3.1.

Its records are named tuples: making dataclasses would take a quarter of the tool's starting time.
"""
