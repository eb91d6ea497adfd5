"""These tests are about the host they run on, so they run nowhere but on one that was made for them."""

import os

from tests.boot.prepare import MANAGERS, MARK

collect_ignore_glob = [] if MARK in os.environ else ["test_*.py"]
if MARK in os.environ and not MANAGERS[os.environ[MARK]].whole:
    collect_ignore_glob = ["test_life.py"]
