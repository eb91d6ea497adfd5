"""Loops at work: suspicion becomes probes, certainty a line in the log and, if asked for, a disabled port."""
