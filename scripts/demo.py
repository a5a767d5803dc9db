"""Feed the sample film room through the whole pipeline and say what became of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROOM = ROOT / "samples" / "room"
DATA = ROOT / "demo-data"
DIGITIZER = [str(Path(sys.executable).with_name("digitizer")), "--data-dir", str(DATA)]


def run(*words: str, expect: tuple[int, ...] = (0,)) -> str:
    """Run a command of the product; its progress is shown, its answer returned."""
    done = subprocess.run([*DIGITIZER, *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in expect:
        print(f"digitizer {' '.join(words)} ended with {done.returncode}", file=sys.stderr)
        sys.exit(1)
    return done.stdout


def main() -> int:
    """Run the demo; 0 when the pipeline did what it should, films left for review included."""
    shutil.rmtree(DATA, ignore_errors=True)
    print("A small film room goes from folder to archive. This takes a minute or two.\n")
    for index in ("patients", "exams", "jackets"):
        print(f"  {index}: {run(index, 'import', str(ROOM / f'{index}.csv')).strip()}")
    command = ["ingest", str(ROOM / "scans"), "--batch", "demo", "--wait", "--json"]
    document = json.loads(run(*command, expect=(0, 3)))
    report = DATA / "demo.json"
    report.write_text(json.dumps(document, indent=1))
    print("\n" + run("batch", "show", "demo"))
    print(run("rehearse", "--score", str(ROOM / "truth.json"), str(report)))
    print(_next_steps(document))
    return 0 if document["settled"] else 1


def _next_steps(document: dict[str, Any]) -> str:
    review = [
        film for scan in document["scans"] for film in scan["films"] if film["state"] == "review"
    ]
    lines = [
        f"The instances lie in {DATA.name}/archive (an embedded archive), the untouched scans in",
        f"{DATA.name}/vault. What you can do next:",
        "  .venv/bin/digitizer --data-dir demo-data review list",
    ]
    if review:
        film = review[0]["id"]
        lines += [
            f"  .venv/bin/digitizer --data-dir demo-data review show {film}",
            f"  .venv/bin/digitizer --data-dir demo-data review accept {film} --as YOUR-NAME",
        ]
    lines.append("README.md tells the way from here to your own scanner and archive.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
