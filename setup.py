"""What pyproject.toml cannot say: a wheel without its compiled eBPF objects is not made."""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel

OBJECTS = Path(__file__).parent / "src" / "jackfield" / "datapath" / "objects"


class WheelWithObjects(bdist_wheel):
    def run(self) -> None:
        if not any(OBJECTS.glob("*.o")):
            sys.exit(
                "There are no compiled eBPF objects to pack: run scripts/compile, or build by scripts/build."
            )
        super().run()


setup(cmdclass={"bdist_wheel": WheelWithObjects})
