"""What several tests need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Networks of a few units on two cores: threads only wait for each other.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture
def program(tmp_path):
    """Runs the program as the package has it on the path, and returns what it came to."""

    def run(*arguments, check=True):
        command = [sys.executable, "-m", "downhill", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def shared():
    """Real tables, if there are some here."""
    folder = os.environ.get("DOWNHILL_SHARED_DATA")
    if not folder:
        pytest.skip("DOWNHILL_SHARED_DATA names no folder of tables")
    return Path(folder)
