"""Bad input of every kind gives one clear line and the right exit code; good input its JSON."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from site_commands import Site, SiteInProcess

import digitizer
from digitizer import cli
from digitizer.cli import _MODULES
from digitizer.pipeline.spreadsheet import safe_cell


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return an empty data folder."""
    return SiteInProcess(tmp_path / "data")


@pytest.fixture
def program(tmp_path: Path) -> Site:
    """Return an empty data folder whose commands are processes, as a user's are."""
    return Site(tmp_path / "data")


def test_every_command_is_where_it_is_looked_for(program: Site) -> None:
    """Commands are loaded by name: each module holds those that are named for it, and no other.

    What the list of them says of each is what the command says of itself.
    """
    found: dict[str, dict[str | None, str]] = {}
    for module in {*_MODULES}:
        commands = importlib.import_module(f"digitizer.cli.{module}").COMMANDS
        found[module] = {one.name: one.get_short_help_str(200) for one in commands}
    assert found == _MODULES
    holding = {
        path.stem
        for path in Path(cli.__file__).parent.glob("*.py")
        if re.search(r"^COMMANDS\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert holding == set(_MODULES)
    assert program.run("--version").stdout == f"digitizer {digitizer.__version__}\n"


def leaves(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands that do something, by all their words."""
    if not isinstance(command, click.Group):
        yield " ".join(words), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(below, (*words, name))


def test_every_command_takes_folder_and_settings() -> None:
    """Before the verb and after it, the last one of several words."""
    lacking = {
        words: wanted - {one.name for one in command.params}
        for words, command in leaves(cli.root, ())
        if (wanted := {"data_dir", "config"}) - {one.name for one in command.params}
    }
    assert lacking == {}


def test_the_nearest_command_is_named(program: Site) -> None:
    """Of the verbs and of those below one."""
    for words, meant in ((("statu",), "status"), (("migrate", "sho"), "show")):
        done = program.run(*words)
        assert done.returncode == 2
        assert f"Did you mean '{meant}'?" in done.stderr


def test_a_command_loads_nothing_that_it_does_not_need(site: Site) -> None:
    """Each of these takes as long to load as a command should take to answer."""
    assert site.run("status").returncode == 0, "now its tables are there"
    run = (
        "import sys; from digitizer import cli; cli.run_command({}); print(*{} & {{*sys.modules}})"
    )
    for words, unneeded in (
        (["--help"], {"sqlalchemy", "numpy", "pydantic"}),
        (["status"], {"alembic", "celery", "scipy", "pydicom", "pynetdicom", "pypdfium2"}),
    ):
        done = subprocess.run(
            [sys.executable, "-c", run.format(words, unneeded)],
            env=site.settings,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["ingest"], 2),
        (["ingest", "/nowhere/at/all"], 2),
        (["ingest", ".", "--until", "done"], 2),
        (["batch", "show", "none"], 2),
        (["review", "show", "none"], 2),
        (["review", "accept", "none", "--as", "ann"], 2),
        (["review", "accept", "none"], 2),
        (["review", "follow", "J1", "--as", "ann", "--patient", "1"], 2),
        (["review", "wrong", "none", "--as", "ann", "--reason", "x"], 2),
        (["review", "blind", "answer", "none", "--as", "ann", "--same"], 2),
        (["review", "blind", "answer", "none", "--as", "ann"], 2),
        (["review", "blind", "dismiss", "none", "--as", "ann", "--reason", "x"], 2),
        (["budget", "release", "number", "--as", "ann", "--reason", "x"], 2),
        (["budget", "stop", "nonsense", "--as", "ann", "--reason", "x"], 2),
        (["retry", "none"], 2),
        (["export", "none"], 2),
        (["verify", "--batch", "none"], 2),
        (["inspect", "/nowhere.tif"], 2),
        (["convert", "/nowhere.tif", "-o", "x"], 2),
        (["read-label", "/nowhere.tif"], 2),
        (["match", "/nowhere.jsonl"], 2),
        (["patients", "import", "/nowhere.csv"], 2),
        (["rehearse"], 2),
        (["rehearse", "--score", "/nowhere.json", "/nowhere.json"], 2),
        (["calibrate", "x.tif", "--densities", "d.csv", "--scanner", "1"], 2),
        (["replay", "--batch", "b"], 2),
        (["watch", "/nowhere"], 5),
        (["--config", "/nowhere.toml", "status"], 4),
        (["status", "--config", "/nowhere.toml"], 4),
    ],
)
def test_bad_input_is_one_line_and_a_code(site: Site, words: list[str], code: int) -> None:
    """One line on standard error, nothing on standard output, never a traceback."""
    done = site.run(*words)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [["convert", "-o", "out"], ["read-label"]])
def test_a_bad_file_is_told_with_its_remedy(site: Site, tmp_path: Path, verb: list[str]) -> None:
    """That of its reason, where the decoder knows no better one."""
    cut = tmp_path / "cut.tif"
    cut.write_bytes(b"II*\0\x08\0\0\0")
    done = site.run(verb[0], str(cut), *verb[1:])
    assert done.returncode == 1
    assert done.stderr.strip().endswith("Copy it again, or scan again.")
    assert len(done.stderr.strip().splitlines()) == 1


def test_unknown_setting_names_the_nearest(tmp_path: Path) -> None:
    """Exit 4, with the key that was probably meant."""
    done = SiteInProcess(tmp_path / "data", DIGITIZER_ARCHIVE__HOTS="x").run("status")
    assert done.returncode == 4
    assert "archive.host" in done.stderr


def test_setting_of_the_wrong_kind(tmp_path: Path) -> None:
    """A port that is no number is a bad setting, not a crash."""
    done = SiteInProcess(tmp_path / "data", DIGITIZER_CONSOLE__PORT="many").run("status")
    assert done.returncode == 4
    assert "console.port" in done.stderr


@pytest.mark.parametrize(
    ("named", "settings"),
    [
        ("rules", {"OLDER__RULES": "/nowhere.toml"}),
        ("TLS", {"ARCHIVE__HOST": "x", "ARCHIVE__TLS": "yes", "ARCHIVE__TLS_CA": "/nowhere.pem"}),
    ],
)
def test_files_that_cannot_be_read_are_told_before_they_are_needed(
    tmp_path: Path, named: str, settings: dict[str, str]
) -> None:
    """Whatever command is run: work that is begun would stop at them later."""
    own = {f"DIGITIZER_{name}": text for name, text in settings.items()}
    done = SiteInProcess(tmp_path / "data", **own).run("status")
    assert done.returncode == 4
    assert named in done.stderr


def test_data_dir_before_and_after_the_verb(site: Site, tmp_path: Path) -> None:
    """Both places mean the same."""
    for words in (
        ["--data-dir", str(tmp_path / "a"), "status"],
        ["status", "--data-dir", str(tmp_path / "b")],
    ):
        assert site.run(*words).returncode == 0
    assert (tmp_path / "a" / "ledger.sqlite").is_file()
    assert (tmp_path / "b" / "ledger.sqlite").is_file()


def test_bad_rows_are_refused_and_the_rest_taken(site: Site, tmp_path: Path) -> None:
    """Exit 1; the refused row by its line number; again changes nothing."""
    table = tmp_path / "patients.csv"
    table.write_text(
        "\ufeffSEX,patient_id,issuer,family_name,given_name,middle_name,birth_date,extra\n"
        "M,1234567,H,DOE,JOHN,A,1931-04-02,x\n"
        "F,,H,ROE,JANE,,1931,\n"
        "F,7654321,H,ROE,JANE,,1931-13-01,\n"
        "F,7654322,H,ROE,JANE,,1931,\n",
        encoding="utf-8",
    )
    first = site.json("patients", "import", str(table), codes=(1,))
    assert (first["added"], first["refused"]) == (2, 2)
    assert [row["line"] for row in first["refused_rows"]] == [3, 4]
    again = site.json("patients", "import", str(table), codes=(1,))
    assert (again["added"], again["unchanged"]) == (0, 2)


def test_a_row_is_refused_by_the_line_it_begins_on(site: Site, tmp_path: Path) -> None:
    """Also behind empty lines, and cells of several lines in a column nobody asked for."""
    patients, exams = tmp_path / "patients.csv", tmp_path / "exams.csv"
    patients.write_text(
        "patient_id,issuer,family_name,given_name,middle_name,birth_date,sex,address\n"
        '1234567,H,DOE,JOHN,A,1931-04-02,M,"1 High Street\nAnytown"\n'
        "\n"
        "1234567,H,ROE,JANE,,1950-01-01,F,\n"
        '7654321,H,,JANE,,1950-01-01,F,"2 High Street\nAnytown"\n'
    )
    exams.write_text(
        "accession_number,patient_id,study_date,modality,description,body_part,laterality\n"
        "\n"
        "A1,9999999,1978-03-12,CR,CHEST PA,CHEST,\n"
        "A2,1234567,1978-13-12,CR,CHEST PA,CHEST,\n"
        "A3,9999999,1978-03-12,CR,CHEST PA,CHEST,\n"
    )
    first = site.json("patients", "import", str(patients), codes=(1,))
    assert first["added"] == 1
    assert [row["line"] for row in first["refused_rows"]] == [5, 6]
    second = site.json("exams", "import", str(exams), codes=(1,))
    assert [row["line"] for row in second["refused_rows"]] == [3, 4, 5]


def test_other_signs_between_cells_are_named(site: Site, tmp_path: Path) -> None:
    """A spreadsheet of many countries writes semicolons."""
    table = tmp_path / "jackets.csv"
    table.write_text("jacket;box;barcode;patient_id;issuer;expected_films\nJ-1;B;;;;\n")
    done = site.run("jackets", "import", str(table))
    assert done.returncode == 2
    assert "by commas, not by semicolons" in done.stderr


def test_a_column_that_is_there_twice_is_refused(site: Site, tmp_path: Path) -> None:
    """Nobody can tell which of two numbers is the patient's; others may be there as often."""
    table = tmp_path / "jackets.csv"
    header = "jacket,box,barcode,patient_id,issuer,expected_films,note,note"
    table.write_text(f"{header}\nJ-1,B,,,,,x,y\n")
    assert site.json("jackets", "import", str(table))["added"] == 1
    table.write_text(f"{header},Patient_ID\nJ-2,B,,1,,,x,y,2\n")
    done = site.run("jackets", "import", str(table))
    assert done.returncode == 2
    assert "several columns of one name: patient_id" in done.stderr


def test_a_broker_that_is_away_is_why_nothing_goes_on(program: Site, tmp_path: Path) -> None:
    """What was found is still printed; exit 5 stands before 3 (contract §1)."""
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "scan.tif").write_bytes(b"II*\0 and then nothing of the kind")
    away = program.with_settings(DIGITIZER_BROKER_URL="redis://:secret@127.0.0.1:9/0")
    words = ("ingest", str(tmp_path / "scans"), "--wait", "--timeout", "0", "--json")
    done = away.run(*words)
    assert done.returncode == 5, done.stderr
    assert json.loads(done.stdout)["settled"] is False
    told = done.stderr.splitlines()[-1]
    assert told.startswith("digitizer: The message broker does not answer (ConnectionError).")
    assert "secret" not in done.stderr
    checks = {one["name"]: one["ok"] for one in away.json("doctor", codes=(5,))["checks"]}
    assert checks["broker"] is False


def test_unreadable_file_is_a_finding_of_inspect(site: Site, tmp_path: Path) -> None:
    """Kind unreadable with the reason; exit 1."""
    junk = tmp_path / "junk.tif"
    junk.write_bytes(b"II*\0 and then nothing of the kind")
    found = site.json("inspect", str(junk), codes=(1,))
    assert found["kind"] == "unreadable"
    assert found["reasons"]
    assert found["films"] == []


def test_match_decides_lines_as_the_pipeline_would(site: Site, tmp_path: Path) -> None:
    """A full block goes by itself; a silent film and a stranger's film do not."""
    (tmp_path / "patients.csv").write_text(
        "patient_id,issuer,family_name,given_name,middle_name,birth_date,sex\n"
        "1234567,H,OKONKWO,JANE,M,1950-03-12,F\n"
        "7654321,H,LINDQVIST,PAUL,,1941-07-30,M\n"
    )
    (tmp_path / "exams.csv").write_text(
        "accession_number,patient_id,study_date,modality,description,body_part,laterality\n"
        "X78-01234,1234567,1978-03-12,CR,CHEST PA,CHEST,\n"
        "X79-55555,7654321,1979-05-05,CR,CHEST PA,CHEST,\n"
    )
    for name in ("patients", "exams"):
        assert site.run(name, "import", str(tmp_path / f"{name}.csv")).returncode == 0
    label = {"lines": ["OKONKWO, JANE M", "MRN 1234567", "DOB 03/12/1950"], "barcodes": []}
    own = {"lines": ["OKONKWO,JANE", "1234567", "X78-01234 03/12/1978"], "barcodes": []}
    other = {"lines": ["LINDQVIST, PAUL", "7654321", "X79-55555 05/05/1979"], "barcodes": []}
    rows = [
        {"id": "own", "jacket": label, "film": own, "group": "g"},
        {"id": "silent", "jacket": label, "film": None, "group": "g"},
        {"id": "misfiled", "jacket": label, "film": other, "group": "g"},
    ]
    done = site.run("match", "-", stdin="".join(json.dumps(row) + "\n" for row in rows))
    assert done.returncode == 0, done.stderr
    answers = {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert list(answers) == ["own", "silent", "misfiled"]
    assert answers["own"]["outcome"] == "auto"
    assert answers["own"]["patient_id"] == "1234567"
    assert answers["own"]["accession_number"] == "X78-01234"
    assert [one["code"] for one in answers["silent"]["reasons"]] == ["film_silent"]
    assert answers["misfiled"]["outcome"] == "review"
    assert answers["misfiled"]["patient_id"] is None
    assert "film_contradicts_jacket" in [one["code"] for one in answers["misfiled"]["reasons"]]
    kind = answers["own"]["evidence_class"]
    assert site.run("budget", "stop", kind, "--as", "lead", "--reason", "odd").returncode == 0
    done = site.run("match", "-", stdin=json.dumps(rows[0]) + "\n")
    assert done.returncode == 0, done.stderr
    stopped = json.loads(done.stdout)
    assert (stopped["outcome"], stopped["patient_id"]) == ("review", None)
    assert [one["code"] for one in stopped["reasons"]] == ["budget_spent"]


def test_match_names_the_bad_line(site: Site) -> None:
    """A line that is no JSON is named by its number."""
    done = site.run("match", "-", stdin='{"id": "a"}\nnonsense\n')
    assert done.returncode == 1
    assert "line 2" in done.stderr


def test_the_budget_is_shown_and_a_class_stopped_and_released(site: Site) -> None:
    """By name, with who did it and why."""
    before = site.json("budget", "show")
    assert {one["class"] for one in before["classes"]} == {"number", "accession", "tied"}
    assert before["blind"]["interval"] == [0.0, 1.0]
    stop = ("budget", "stop", "tied", "--as", "lead", "--reason", "looks odd")
    assert site.run(*stop).returncode == 0
    (tied,) = [one for one in site.json("budget", "show")["classes"] if one["class"] == "tied"]
    assert (tied["stopped"], tied["why"], tied["by"]) == (True, "looks odd", "lead")
    assert "stopped by lead: looks odd" in site.run("status").stdout
    release = ("budget", "release", "tied", "--as", "lead", "--reason", "looked at")
    assert site.run(*release).returncode == 0
    status = site.json("status")
    assert (status["expected_wrong"], status["budget"]["filed"]) == (0.0, 0)
    assert site.json("review", "blind", "list") == []


def test_a_cell_is_no_formula_and_an_empty_one_stays_empty() -> None:
    """What a spreadsheet would work out is shown as the text it is."""
    assert [safe_cell(one) for one in ("=1+1", "-x", "a=b", "", None, 3)] == [
        "'=1+1", "'-x", "a=b", "", "", 3,
    ]  # fmt: skip
