"""Commands that put right what was read, found or fed wrongly, and that print for the desk."""

from pathlib import Path

import pytest
from jackets import Site, an_exam, somebody

from digitizer.cli import run_command

PEOPLE = [somebody("4711822", "OKONKWO^JANE", "1931-04-02")]
EXAMS = [an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", 1)]


def test_commands_put_right_what_is_in_review(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In plain words; what cannot be is one line, and wrong usage."""
    site = Site.at(tmp_path / "data", PEOPLE, EXAMS)
    first, second = site.jacket("J1", [], [], ["MRN 9911855"])

    def said(*words: str, code: int = 0) -> str:
        assert run_command(["--data-dir", str(tmp_path / "data"), *words]) == code
        told = capsys.readouterr()
        return told.err if code else told.out

    by = ("--as", "ann")
    numbered = ("--field", "patient_id=4711822", "--field", "birth_date=1931-04-02")
    assert "1. 4711822 (GEN) p=" in said("review", "edit", second, *by, *numbered)
    assert site.film(second).corrections == {"patient_id": "4711822", "birth_date": "1931-04-02"}
    assert "NAME=VALUE" in said("review", "edit", second, *by, "--field", "number", code=2)
    assert "Marked." in said("review", "misfiled", second, *by, "--reason", "another hand")
    assert '"misfiled": "ann says' in said("review", "show", second, "--json")
    assert "belongs to its jacket again" in said("review", "misfiled", second, *by, "--back")
    assert "the first of its jacket" in said("review", "split", "J1-label", *by, code=2)
    assert "1 scans are jacket BOX-1/J9 now" in said("review", "split", second, *by, "--name", "J9")
    nothing = said("review", "adjust", first, *by, "--turn", "90", code=2)
    assert "No sheet was found in this scan" in nothing
    out = tmp_path / "paper.pdf"
    for words in (("separators", "--copies", "2"), ("labels", "BOX-1/J1", "J-9")):
        assert f"Written: {out}" in said("print", *words, "-o", str(out))
        assert out.read_bytes()[:5] == b"%PDF-"
    assert "has no box BOX-9" in said("print", "labels", "--box", "BOX-9", "-o", str(out), code=2)
