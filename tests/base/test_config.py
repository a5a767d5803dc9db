"""Settings: where they come from, which wins, what is refused."""

from pathlib import Path

import pytest

from digitizer import config, wiring
from digitizer.errors import SettingsError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "digitizer.toml"
    path.write_text(
        'log_level = "INFO"\n[archive]\nhost = "pacs"\nport = 104\n'
        '[capture]\nmodality_of = {CR = "CR"}\n'
    )
    return path


def test_defaults_need_nothing() -> None:
    """Without file and environment every value is a default, told as such."""
    loaded = config.load(environ={})
    assert loaded.settings == config.Settings()
    assert set(loaded.origins.values()) == {"default"}


def test_the_environment_wins_over_the_file(file: Path) -> None:
    """Each value names where it came from."""
    loaded = config.load(file, environ={"DIGITIZER_ARCHIVE__PORT": "11112"})
    assert (loaded.settings.archive.host, loaded.settings.archive.port) == ("pacs", 11112)
    assert loaded.origins["archive.host"] == str(file)
    assert loaded.origins["archive.port"] == "DIGITIZER_ARCHIVE__PORT"


def test_the_command_line_wins_over_all(file: Path) -> None:
    """`--data-dir` overrides the variable."""
    loaded = config.load(file, data_dir=Path("here"), environ={"DIGITIZER_DATA_DIR": "there"})
    assert loaded.settings.data_dir == Path("here")
    assert loaded.origins["data_dir"] == "--data-dir"


def test_lists_and_tables_may_stand_in_the_environment() -> None:
    """As JSON."""
    loaded = config.load(
        environ={
            "DIGITIZER_LISTENER__ACCEPT_FROM": '["VIDAR", "LUMISYS"]',
            "DIGITIZER_CAPTURE__MODALITY_OF": '{"MG": "MG"}',
        }
    )
    assert loaded.settings.listener.accept_from == ("VIDAR", "LUMISYS")
    assert loaded.settings.capture.modality_of == {"MG": "MG"}


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("[archive]\nhots = 1\n", "archive.host"),
        ("datadir = 1\n", "data_dir"),
        ("zzz = 1\n", "Did you mean"),
        ("[grammar]\nday_frist = true\n", "grammar.day_first"),
    ],
)
def test_an_unknown_key_names_the_nearest(tmp_path: Path, text: str, nearest: str) -> None:
    """A slip of the pen is an error, never ignored."""
    path = tmp_path / "digitizer.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as told:
        config.load(path, environ={})
    assert nearest in told.value.remedy


@pytest.mark.parametrize("text", ["archive = [", "\x00", "[archive]\nport = 'many'\n"])
def test_a_bad_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    """No TOML, or a value of the wrong kind."""
    path = tmp_path / "digitizer.toml"
    path.write_text(text)
    with pytest.raises(SettingsError):
        config.load(path, environ={})


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """One that was named must be there."""
    with pytest.raises(SettingsError, match="no settings file"):
        config.load(tmp_path / "none.toml", environ={})


def test_a_password_in_a_url_is_not_shown() -> None:
    """What `doctor` prints may stand on anybody's screen."""
    loaded = config.load(
        environ={
            "DIGITIZER_DATABASE_URL": "postgresql+psycopg://me:hunter2@db/x",
            "DIGITIZER_BROKER_URL": "redis://:hunter2@cache/0",
            "DIGITIZER_OIDC__CLIENT_SECRET": "hunter2",
        }
    )
    assert "hunter2" not in str(config.effective(loaded.settings))


def test_every_setting_is_described() -> None:
    """The tables of README are made from these."""
    assert [key for key, _, _, text in config.describe() if not text] == []


def test_a_sites_own_vocabulary_is_used(tmp_path: Path) -> None:
    """A file of words, named in the settings."""
    words = tmp_path / "words.toml"
    words.write_text('[stamps]\nwords = ["AUSGELIEHEN"]\n')
    loaded = config.load(environ={"DIGITIZER_GRAMMAR__VOCABULARY": str(words)})
    assert wiring.rules(loaded.settings).vocabulary.stamps == {"AUSGELIEHEN"}


@pytest.mark.parametrize("text", ["[stamps", "[stampz]\nwords = []\n", None])
def test_a_vocabulary_that_cannot_be_read_is_a_setting_gone_wrong(
    tmp_path: Path, text: str | None
) -> None:
    """Told in one line with what to correct."""
    words = tmp_path / "words.toml"
    if text is not None:
        words.write_text(text)
    loaded = config.load(environ={"DIGITIZER_GRAMMAR__VOCABULARY": str(words)})
    with pytest.raises(SettingsError) as caught:
        wiring.rules(loaded.settings)
    assert "grammar.vocabulary" in caught.value.remedy
