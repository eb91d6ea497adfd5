"""`jackfield vsctl`: the commands, options, output, messages and exit codes of ovs-vsctl(8) 3.1."""
