"""How an older archive is brought over: told, changed, and refused where it is garbled."""

from pathlib import Path

import pytest
from site_commands import Site, SiteInProcess


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site with one old PACS that nobody has asked yet."""
    site = SiteInProcess(tmp_path / "data")
    words = ("--name", "old", "--issuer", "GH", "--pace", "07-19:60,19-07:", "--as", "ann")
    assert site.run("migrate", "add", "OLD@127.0.0.1:104", *words).returncode == 0
    return site


def test_how_it_is_brought_over_is_told(site: Site) -> None:
    """By those who ask for all, and by those who ask for one."""
    for words in (("list",), ("show", "old")):
        told = site.run("migrate", *words).stdout
        assert "issuer GH, pace=07-19:60,19-07:" in told
    (row,) = site.json("migrate", "list")
    assert (row["issuer"], row["options"]) == ("GH", {"pace": "07-19:60,19-07:"})
    site.run("migrate", "pause", "old", "--as", "ann")
    assert "07-19:60,19-07:, paused" in site.run("migrate", "show", "old").stdout


def test_it_is_changed_and_who_did_so_is_written_down(site: Site) -> None:
    """One option after the other; what is not named stays."""
    done = site.run("migrate", "change", "old", "--pace", "", "--set", "timeout=9", "--as", "bob")
    assert "issuer GH, timeout=9" in done.stdout
    done = site.run("migrate", "change", "old", "--issuer", "GEN", "--as", "bob")
    (row,) = site.json("migrate", "list")
    assert (row["issuer"], row["options"]) == ("GEN", {"timeout": "9"})
    assert site.count_events("changed") == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--set", "retrieve=nonsense"),
        ("--set", "timeout=soon"),
        ("--set", "nonsense=1"),
        ("--pace", "fast"),
        ("--set", "tls=yes", "--set", "tls_ca=nowhere.pem"),
    ],
)
def test_what_is_garbled_changes_nothing(site: Site, words: tuple[str, ...]) -> None:
    """It is refused in one line, before anything is written down."""
    done = site.run("migrate", "change", "old", *words, "--as", "ann")
    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1
    assert site.json("migrate", "list")[0]["options"] == {"pace": "07-19:60,19-07:"}
    assert site.count_events("changed") == 0


def test_giving_up_needs_a_list_that_has_something(site: Site) -> None:
    """Nothing was looked through yet; and what may be released is told with the numbers."""
    words = ("--reason", "scratched", "--as", "ann")
    done = site.run("migrate", "give-up", "old", "damaged", *words)
    assert done.returncode != 0
    assert "has not been looked through to its end" in done.stderr
    assert (
        "released   no: it has not been looked through" in site.run("migrate", "show", "old").stdout
    )
    assert site.count_events("given_up") == 0


def test_adding_it_anew_otherwise_names_the_way(site: Site) -> None:
    """An issuer is not changed in passing."""
    done = site.run("migrate", "add", "OLD@127.0.0.1:104", "--name", "old", "--issuer", "X",
                    "--as", "ann")  # fmt: skip
    assert done.returncode != 0
    assert "migrate change" in done.stderr


def test_a_plan_without_an_archive_asks_the_embedded_one(site: Site) -> None:
    """It runs while work is done only, and says all the same what it does not take."""
    assert site.json("migrate", "plan", "old")["archive_asked"] is True


def test_a_plan_of_what_was_not_looked_through_says_so(site: Site) -> None:
    """In words, with what to do, and not as a plan of nothing."""
    told = site.run("migrate", "plan", "old").stdout
    assert "has not been looked through yet" in told
    assert "migrate run old" in told


@pytest.mark.parametrize(
    ("kind", "keep", "kept"),
    [
        ("disc", None, "vault"),
        ("disc", "place", "place"),
        ("storage", None, "place"),
        ("storage", "vault", "vault"),
    ],
)
def test_a_site_says_where_originals_stay(
    site: Site, tmp_path: Path, kind: str, keep: str | None, kept: str
) -> None:
    """Whatever kind of files they are."""
    words = ("--kind", kind, "--name", "files", "--as", "ann", *(("--keep", keep) if keep else ()))
    assert site.run("migrate", "add", str(tmp_path), *words).returncode == 0
    assert site.json("migrate", "show", "files")["keep"] == kept
    other = {"vault": "place", "place": "vault"}[kept]
    again = ("--kind", kind, "--name", "files", "--as", "ann", "--keep", other)
    assert site.run("migrate", "add", str(tmp_path), *again).returncode == 2
    assert site.json("migrate", "show", "files")["keep"] == kept


def test_an_old_pacs_has_no_place_to_keep_originals_at(site: Site) -> None:
    """It is told why, in one line."""
    done = site.run("migrate", "add", "NEW@127.0.0.1:104", "--keep", "place", "--as", "ann")
    assert done.returncode == 2
    assert "kept in the vault" in done.stderr
