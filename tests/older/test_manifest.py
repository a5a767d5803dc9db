"""Index files from anywhere: every row is taken as it is meant, or refused with its line."""

import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hand_clock import HandClock

from digitizer.errors import BadRow, SettingsError, SourceUnreachable, UsageError
from digitizer.model.older import OldHeader, PictureRow, Source, SourceKind
from digitizer.older import Older
from digitizer.older.files import FolderSource
from digitizer.older.manifest import place_told, read_manifest
from digitizer.older.mapping import read_mapping
from digitizer.ports import PictureSource

SIMPLE = """
[columns]
file = "File"
patient_id = "Number"
name = "Name"
birth_date = "Born"
"""


def rows_of(path: Path, mapping: str) -> list[PictureRow | BadRow]:
    return list(read_manifest(path, read_mapping(mapping)))


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "more"),
    [
        ("file;NUMBER;name;born\na.tif;7;DOE^JANE;1950-01-02\n", ""),
        ("\ufeffFile,Number,Name,Born\r\na.tif,7,DOE^JANE,19500102\r\n", ""),
        ("File\tNumber\tBorn\tName\n\na.tif\t7\t1950-01-02\tDOE^JANE\n", ""),
        ('"File"|"Number"|"Name"|"Born"|"x"\na.tif|="7"|DOE^JANE|1950-01-02|\n',
         '[index]\ndelimiter = "|"\n'),
        ("File;Number;Name;Born\na.tif;7;DOE^JANE;02.01.1950\n",
         '[dates]\nbirth_date = "%d.%m.%Y"\n'),
        ("File;Number;Name;Born\na.tif;7;DOE^JANE;1950-01-02\n".encode("utf-16"),
         '[index]\nencoding = "utf-16"\n'),
    ],
)  # fmt: skip
def test_csv_of_every_dialect_is_one_row(tmp_path: Path, content: str | bytes, more: str) -> None:
    """Marks, delimiters, capitals, quotes and kept noughts are no part of what is said."""
    (row,) = rows_of(written(tmp_path / "i.csv", content), more + SIMPLE)
    assert isinstance(row, PictureRow)
    assert (row.place, row.page) == ("a.tif", None)
    assert row.header == OldHeader(patient_id="7", name="DOE^JANE", birth_date="19500102")


def test_a_bad_row_is_refused_and_the_rest_taken(tmp_path: Path) -> None:
    """Each has its line and its reason; none is guessed at."""
    bad = [
        ("../x.tif;1;A;1950-01-02", "leads out"),
        ("/etc/passwd;1;A;1950-01-02", "relative"),
        ("C:\\x.tif;1;A;1950-01-02", "relative"),
        ("a\\..\\..\\x.tif;1;A;1950-01-02", "leads out"),
        (";1;A;1950-01-02", "no file"),
        ("a.tif;=1+2;A;1950-01-02", "patient_id holds a formula"),
        ("a.tif;@SUM(1);A;1950-01-02", "patient_id holds a formula"),
        ("a.tif;1;-cmd|' /C calc'!A1;1950-01-02", "name holds a formula"),
        ("a.tif;1;A=B;1950-01-02", "keeps for itself"),
        ("a.tif;1\\2;A;1950-01-02", "keeps for itself"),
        (f"a.tif;{'9' * 65};A;1950-01-02", "longer than 64"),
        ("a.tif;1;A;1950-02-31", "birth_date is no date"),
        ("a.tif;1;A;2.1.1950", "birth_date is no date"),
        ("a.tif;1;A", "3 cells"),
        ("a.tif;1;A;1950-01-02;x", "5 cells"),
        ("a.tif;1;A\x07;1950-01-02", "control characters"),
    ]
    lines = ["File;Number;Name;Born", *(line for line, _ in bad), "b.tif;2;B;1950-01-02"]
    found = rows_of(written(tmp_path / "i.csv", "\n".join(lines)), SIMPLE)
    for line, ((text, why), row) in enumerate(zip(bad, found, strict=False), start=2):
        assert isinstance(row, BadRow), text
        assert row.line == line
        assert why in row.message, text
    last = found[-1]
    assert isinstance(last, PictureRow)
    assert last.header.patient_id == "2"


def test_words_are_given_their_meaning(tmp_path: Path) -> None:
    """Values are mapped by the site's table; codes and sides are those of DICOM."""
    mapping = SIMPLE + (
        'sex = "s"\nlaterality = "l"\nmodality = "m"\npage = "p"\nfilm = "f"\n'
        '[constants]\nissuer = "GEN"\n[values.sex]\nw = "F"\n[values.modality]\nR = "CR"\n'
    )
    text = (
        "File;Number;Name;Born;s;l;m;p;f\n"
        "./A\\b.tif;1;A;1950-01-02;w;Left;R;3;yes\n"
        "b.tif;1;A;1950-01-02;x;;;;\n"
        "b.tif;1;A;1950-01-02;;;;0;\n"
        "b.tif;1;A;1950-01-02;;;MG/X;;\n"
        "b.tif;1;A;1950-01-02;;;;;maybe\n"
    )
    row, *bad = rows_of(written(tmp_path / "i.csv", text), mapping)
    assert isinstance(row, PictureRow)
    assert (row.place, row.page, row.film) == ("A/b.tif", 3, True)
    said = row.header
    assert (said.sex, said.laterality, said.modality, said.issuer) == ("F", "L", "CR", "GEN")
    assert [one.message for one in bad if isinstance(one, BadRow)] == [
        "line 3: sex is none of M, F, O",
        "line 4: page is no number from 1 on",
        "line 5: modality holds other than letters, digits, blanks and underscores",
        "line 6: film is neither yes nor no",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("columns = 3", "columns"),
        ('[columns]\nname = "x"', "which one is the file"),
        ('[columns]\nfile = "x"\npatient = "y"', "'patient' is no field"),
        ('[columns]\nfile = "x"\n[other]', "other"),
        ('[columns]\nfile = "x"\n[dates]\nbirth_date = "%d.%m.%y"', "century"),
        ('[columns]\nfile = "x"\n[constants]\nfile = "y"', "both a column and a constant"),
        ('[columns]\nfile = "x"\nname = "y"\ngiven_name = "z"', "not in both"),
        ('[index]\nrow = "/a//b"\n[columns]\nfile = "x"', "index.row"),
        ("[columns", "no TOML"),
    ],
)
def test_a_garbled_mapping_says_where(text: str, why: str) -> None:
    """No key is passed over."""
    with pytest.raises(SettingsError, match=why):
        read_mapping(text)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("File;Number;Name\na;1;2\n", "has no column Born"),
        ("File;Number;Name;Born;born\na;1;2;3;4\n", "more than one column Born"),
        (b"File;Number;Name;Born\na;\xe4;2;3\n", "is not utf-8"),
        ("File;Number;Name;Born\n" + "x" * (1 << 21), "no CSV file"),
        ('File;Number;Name;Born\n"' + "x\n" * (1 << 20), "no CSV file"),
        ("", "has no column"),
    ],
)
def test_a_file_that_is_no_index_is_refused_whole(
    tmp_path: Path, content: str | bytes, why: str
) -> None:
    """Without its columns, or in another encoding, nothing of it is taken."""
    with pytest.raises(UsageError, match=why):
        rows_of(written(tmp_path / "i.csv", content), SIMPLE)


XML = """
[index]
row = "export/picture"
[columns]
file = "@path"
patient_id = "patient/id"
name = "patient/name"
issuer = "patient/id/@by"
"""


def test_xml_rows_are_read_by_their_paths(tmp_path: Path) -> None:
    """Children, attributes and name spaces; what stands twice or is too long is refused."""
    text = """<?xml version="1.0" encoding="iso-8859-1"?>
<e:export xmlns:e="urn:x"><head><picture path="no"/></head>
<e:picture path="a.tif"><patient><id by="GEN">7</id><name>B\xe4R^<![CDATA[A&]]></name></patient>
</e:picture>
<picture path="b.tif"><patient><id>1</id><id>2</id></patient></picture>
<picture path="c.tif"><patient><id>%s</id></patient></picture>
<picture path="../d.tif"/>
</e:export>""" % ("9" * 5000)
    row, *bad = rows_of(written(tmp_path / "i.xml", text.encode("latin-1")), XML)
    assert isinstance(row, PictureRow)
    assert row.place == "a.tif"
    assert row.header == OldHeader(patient_id="7", issuer="GEN", name="BäR^A&")
    assert [one.message for one in bad if isinstance(one, BadRow)] == [
        "line 5: patient/id stands in it twice",
        "line 6: patient/id is too long",
        "line 7: the path of the file leads out of the folder or is garbled",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><export>&b;</export>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><export/>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><export>&e;</export>',
        "<export><picture></export>",
        "<export>&nbsp;</export>",
        "<a>" * 100 + "</a>" * 100,
        "no xml",
        "",
    ],
)
def test_xml_that_declares_or_breaks_off_is_refused(tmp_path: Path, text: str) -> None:
    """Entities are neither expanded nor fetched."""
    with pytest.raises(UsageError, match="no XML file"):
        rows_of(written(tmp_path / "i.xml", text), XML)


def test_a_long_index_needs_little_memory(tmp_path: Path) -> None:
    """Rows pass one at a time, of CSV and of XML."""
    rest = "x" * 1000
    table, tree = tmp_path / "i.csv", tmp_path / "i.xml"
    with table.open("w") as stream:
        stream.write("File;Number;Name;Born;Rest\n")
        stream.writelines(f"{n}.tif;{n};DOE^JANE;;{rest}\n" for n in range(3000))
    with tree.open("w") as stream:
        stream.write("<export>")
        stream.writelines(
            f'<picture path="{n}.tif"><rest>{rest}</rest></picture>' for n in range(3000)
        )
        stream.write("</export>")
    for path, mapping in ((table, SIMPLE), (tree, XML)):
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_manifest(path, read_mapping(mapping))) == 3000
            assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 3
        finally:
            tracemalloc.stop()


def a_source(folder: Path) -> Source:
    options = {"index": "i.csv", "mapping": "m.toml"}
    return Source(
        id="s",
        name="s",
        kind=SourceKind.PICTURES,
        place=str(folder),
        added_at=HandClock().at,
        options=options,
    )


def opened(folder: Path, index: str, mapping: str = SIMPLE) -> PictureSource:
    written(folder / "i.csv", index)
    written(folder / "m.toml", mapping)
    return Older(1 << 20, "OURS").pictures(a_source(folder))


def test_rows_find_their_files_however_they_are_spelled(tmp_path: Path) -> None:
    """Capitals and composed letters aside; where two files are meant, neither is taken."""
    for name in ("Ä B.tif", "one.tif", "ONE.tif", "two.tif", "TWO.tif", "clash.tif", "idle.tif"):
        written(tmp_path / name, b"x")
    rows = ["A\u0308 b.TIF;1", "one.tif;1", "ONE.tif;2", "Two.tif;3", "clash.tif;1", "clash.tif;2",
            "gone.tif;1", "one.tif;1"]  # fmt: skip
    index = "\n".join(["File;Number;Name;Born", *(f"{row};A;1950-01-02" for row in rows)])
    folder = opened(tmp_path, index)

    def numbers(place: str) -> list[str]:
        return [row.header.patient_id for row in folder.rows_of(place)]

    assert numbers("Ä B.tif") == ["1"]
    assert (numbers("one.tif"), numbers("ONE.tif"), numbers("idle.tif")) == (["1"], ["2"], [])
    for place, why in (("two.tif", "but for capitals"), ("clash.tif", "line 6 says other things")):
        with pytest.raises(BadRow, match=why):
            folder.rows_of(place)
    assert [row.place for row in folder.without_file()] == ["gone.tif"]
    assert [place for place in folder.files("") if folder.is_index(place)] == ["i.csv", "m.toml"]


def test_names_that_are_no_utf_8_can_be_written_down(tmp_path: Path) -> None:
    """Old systems wrote Latin-1: such a file has a place that a ledger takes, and is read by it."""
    folder = tmp_path / "old"
    folder.mkdir()
    names = (b"caf\xe9.tif", b"cafe.tif", b"\xfcber/a.tif", b"plain\\x41.tif")
    for name in names:
        path = folder / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name)
    source = FolderSource(folder, 1 << 20)
    places = list(source.files(""))
    assert places == ["\\xfcber/a.tif", "caf\\xe9.tif", "cafe.tif", "plain\\x41.tif"]
    assert [source.read(place) for place in places] == [names[2], names[0], names[1], names[3]]
    assert all(source.has(place) for place in places)
    for number, place in enumerate(places):
        assert list(source.files(place)) == places[number + 1 :]


def test_an_index_that_cannot_be_read_is_waited_for(tmp_path: Path) -> None:
    """Put right, it is gone on with: it is no failure of the software."""
    for index, mapping, why in (
        ("File\n", SIMPLE, "has no column Number"),
        ("File\n", "[columns]\n", "which one is the file"),
    ):
        with pytest.raises(SourceUnreachable, match=why):
            opened(tmp_path, index, mapping)
    written(tmp_path / "m.toml", SIMPLE)
    (tmp_path / "i.csv").unlink()
    with pytest.raises(SourceUnreachable, match="cannot be read"):
        Older(1 << 20, "OURS").pictures(a_source(tmp_path))


def test_paths_stay_in_the_folder() -> None:
    """Slashes of either kind; nothing that leads out."""
    good: dict[str, Any] = {"a//b/./c.tif": "a/b/c.tif", ".\\x\\y.tif": "x/y.tif"}
    for text, place in good.items():
        assert place_told(text) == place
    for text in ("..", "a/../../b", "\\\\server\\x", "d:x.tif", "a\nb", "."):
        with pytest.raises(ValueError, match=r"file|folder"):
            place_told(text)
