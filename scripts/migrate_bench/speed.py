"""On a good line, beside dcmtk's movescu and storescu on the same files and peers."""

import os
import subprocess
import time
from pathlib import Path

from orthanc_server import Orthanc, free_port

from migrate_bench.site import TITLE, Site, opened_target
from migrate_bench.truth import Truth

__all__ = ["speed"]

AIM = 0.8
STUDIES_AT_ONCE = 500


def speed(folder: Path, old: Orthanc, listen: int, reports: int, truth: Truth) -> list[str]:
    """Compare by instances moved from one archive and into the other, each counted, a second."""
    with opened_target(folder / "target-dcmtk", reports) as target:
        moving, storing, cpu, moved, stored = _dcmtk(folder / "moved", old, listen, target, truth)
    plain = (moved + stored) / (moving + storing)
    print(f"dcmtk: movescu {moved} instances in {moving:.0f} s, storescu {stored} in {storing:.0f}"
          f" s: {plain:.1f} moves a second, {cpu:.0f} s of CPU")  # fmt: skip
    port = free_port()
    with opened_target(folder / "target-speed", port) as target:
        site = Site(folder / "data-speed", target, port)
        site.index(truth.folder)
        site.add(old.dicom_port)
        started, before = time.monotonic(), cpu_s()
        site.run()
        seconds, cpu = time.monotonic() - started, cpu_s() - before
        there = site.all_there_at - started
        told = site.told()
    moves = told["found"] + told["stored"]
    print(f"digitizer migrate: {told['found']} fetched, {told['stored']} stored in {there:.0f} s, "
          f"{told['verified']} committed and verified in {seconds:.0f} s: {moves / there:.1f} and "
          f"{moves / seconds:.1f} moves a second, {cpu:.0f} s of CPU")  # fmt: skip
    slow, whole = moves / there / plain, moves / seconds / plain
    print(f"throughput beside dcmtk: {slow:.2f} until all is stored, hashed, decided and written "
          f"down (aim: {AIM:.2f}); {whole:.2f} with commitment, reading back and asking the old "
          "PACS once more")  # fmt: skip
    return [*site.memory.judged(), *([f"throughput: {slow:.2f} of dcmtk's"] if slow < AIM else [])]


def cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _dcmtk(
    folder: Path, old: Orthanc, listen: int, target: Orthanc, truth: Truth
) -> tuple[float, float, float, int, int]:
    """Move all into a folder, as many studies by one movescu as it takes, then store the folder.

    Returns the seconds of either, of CPU, and how many instances came where.
    """
    folder.mkdir()
    started, before = time.monotonic(), cpu_s()
    studies = list(truth.studies)
    for at in range(0, len(studies), STUDIES_AT_ONCE):
        uids = "\\".join(studies[at : at + STUDIES_AT_ONCE])
        subprocess.run(
            ["movescu", "-S", "-aet", TITLE, "-aem", TITLE, "-aec", old.ae_title, "+xa", "-pdu",
             "131072", "+P", str(listen), "-od", str(folder), "-k", "0008,0052=STUDY",
             "-k", f"0020,000d={uids}", "127.0.0.1", str(old.dicom_port)],
            check=False, capture_output=True,
        )  # fmt: skip
    moving = time.monotonic() - started
    moved = sum(1 for _ in folder.iterdir())
    subprocess.run(
        ["storescu", "-aet", TITLE, "-aec", target.ae_title, "+sd", "+r", "-nh", "-pdu", "131072",
         "-xf", str(_proposals(folder.parent, truth)), "Any", "127.0.0.1", str(target.dicom_port),
         str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    storing = time.monotonic() - started - moving
    there = int(target.rest("/statistics")["CountInstances"])
    return moving, storing, cpu_s() - before, moved, there


def _proposals(folder: Path, truth: Truth) -> Path:
    """Write what storescu proposes: each class in each syntax it comes in."""
    kinds = sorted({(one["sop_class"], one["syntax"]) for one in truth.files.values()})
    syntaxes = sorted({syntax for _, syntax in kinds})
    lines = ["[[TransferSyntaxes]]"]
    for at, syntax in enumerate(syntaxes):
        lines += [f"[S{at}]", f"TransferSyntax1 = {syntax}"]
    lines += ["[[PresentationContexts]]", "[Any]"]
    for at, (sop_class, syntax) in enumerate(kinds, 1):
        lines.append(f"PresentationContext{at} = {sop_class}\\S{syntaxes.index(syntax)}")
    lines += ["[[Profiles]]", "[Any]", "PresentationContexts = Any", ""]
    path = folder / "proposals.cfg"
    path.write_text("\n".join(lines))
    return path
