"""How much longer everything may take: a number in JACKFIELD_TEST_PATIENCE, for emulated machines."""

from __future__ import annotations

import os

PATIENCE = float(os.environ.get("JACKFIELD_TEST_PATIENCE", "1"))
