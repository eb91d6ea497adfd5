"""Loops: which bridges patch ports join, how a loop is searched for, and the frames by which it is found."""

from jackfield.model.loops.finder import Finder, Loop, News, Place
from jackfield.model.loops.probe import Probe, probe_address
from jackfield.model.loops.segments import Joint, Segments

__all__ = ["Finder", "Joint", "Loop", "News", "Place", "Probe", "Segments", "probe_address"]
