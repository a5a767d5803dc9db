"""The source of the film viewer: types, and a lock file that names no place to load from."""

import json
import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "digitizer" / "console" / "viewer"


def test_types_hold() -> None:
    """As strictly as the Python does."""
    path = f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}"
    done = subprocess.run(
        ["npm", "run", "--silent", "check"],
        cwd=SOURCE,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_lock_file_pins_by_hash_and_names_no_registry() -> None:
    """What is installed is what was tested, wherever it comes from."""
    packages = json.loads((SOURCE / "package-lock.json").read_text())["packages"]
    named = {name: one for name, one in packages.items() if name}
    assert all("integrity" in one and "resolved" not in one for one in named.values())
    wanted = json.loads((SOURCE / "package.json").read_text())
    for version in {**wanted["dependencies"], **wanted["devDependencies"]}.values():
        assert version[0].isdigit(), "exact versions only"
