"""`jackfield` for people: what the switch is and does, in tables on a terminal and plain text in a pipe."""
