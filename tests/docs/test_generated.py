"""What is generated from the code is up to date; layers, types and style hold."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "scripts/generate_docs.py", "--check"],
        [str(BIN / "lint-imports")],
        [sys.executable, "-m", "mypy"],
        [str(BIN / "ruff"), "check", "."],
        [str(BIN / "ruff"), "format", "--check", "."],
    ],
    ids=["docs", "layers", "types", "lint", "format"],
)
def test_holds(command: list[str]) -> None:
    """The check ends with 0."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
