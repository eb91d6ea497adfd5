"""What of these tests runs outside an emulated kernel too."""

import os

# Kernels for small virtual machines may lack the driver for VLAN devices; those emulated for tests have it.
collect_ignore = [] if "JACKFIELD_TEST_PATIENCE" in os.environ else ["test_devices_on_top.py"]
