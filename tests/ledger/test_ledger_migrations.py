"""Migrations: they end at the tables of the code, from any start, with any number of starters."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hand_clock import HandClock
from ledger_records import NOON, batch, execute_plainly, happened, jacket, scan, sheet
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from digitizer.errors import MissingService, SettingsError
from digitizer.ledger import SqlLedger, SqlOverview
from digitizer.ledger import migrate as migrations
from digitizer.ledger.tables import metadata
from digitizer.model.older import GivenUp, Source, SourceKind
from digitizer.model.overview import Filter
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Capture, Commitment, Stage, Verification
from digitizer.model.states import State

_BEFORE_STANDINGS = "0004_budget"


def test_migrations_end_at_the_tables_of_the_code(database: str) -> None:
    """Nobody changed a table without a migration, types and indexes included."""
    engine = create_engine(database, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_tables_of_keys_are_their_own_index(database: str) -> None:
    """On SQLite the keys lie in the tree of their primary key alone, not twice."""
    engine = create_engine(database, poolclass=NullPool)
    if engine.dialect.name != "sqlite":
        pytest.skip("a matter of SQLite")
    with engine.connect() as connection:
        for table in ("patient_key", "exam_key", "patient_name", "sheet_band"):
            query = f"SELECT sql FROM sqlite_schema WHERE name = '{table}'"
            assert "WITHOUT ROWID" in connection.exec_driver_sql(query).scalar_one()


def test_migrating_again_changes_nothing(database: str) -> None:
    """A second start finds nothing to do."""
    ledger = SqlLedger(database, HandClock(), reserve=0)
    ledger.migrate()
    ledger.migrate()
    names = inspect(create_engine(database, poolclass=NullPool)).get_table_names()
    assert set(names) == {*metadata.tables, "alembic_version"}


def test_a_ledger_of_a_newer_version_is_told(database: str) -> None:
    """An old program does not write to tables that it does not know."""
    execute_plainly(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SettingsError, match="another version"):
        SqlLedger(database, HandClock(), reserve=0).migrate()


def test_a_ledger_up_to_date_waits_for_no_writer(database: str) -> None:
    """Every command opens the ledger: it would stand behind each film that is filed."""
    waiting, writing = (SqlLedger(database, HandClock(), reserve=0) for _ in range(2))
    with writing.transaction() as tx:
        tx.add(batch(), happened("b1"))
        waiting.migrate()
    waiting.close()
    writing.close()


def test_migrations_are_told_by_their_files() -> None:
    """The last by name is the last there is: by it a ledger is known to be up to date."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent / "migrations"))
    written = sorted(script.revision for script in scripts.walk_revisions())
    assert [scripts.get_current_head()] == written[-1:]
    assert all(Path(script.path).stem == script.revision for script in scripts.walk_revisions())


@pytest.mark.parametrize("url", ["nonsense", "mysql://a@b/c", "sqlite3:///x", "oracle://x"])
def test_a_url_of_no_use_is_told_without_its_password(url: str) -> None:
    """Other databases and typing errors are settings to be mended."""
    with pytest.raises(SettingsError, match="sqlite:///PATH"):
        SqlLedger(url, HandClock())


def test_a_database_that_cannot_be_opened_is_a_missing_service(tmp_path: Path) -> None:
    """A folder that is not there, a server that is not there."""
    for url in (
        f"sqlite:///{tmp_path}/nowhere/ledger.sqlite",
        f"postgresql+psycopg://digitizer@/postgres?host={tmp_path}",
    ):
        with pytest.raises(MissingService):
            SqlLedger(url, HandClock(), reserve=0).migrate()


def test_an_older_ledger_tells_where_everything_stands(database: str) -> None:
    """The rows written for records of an older version are those that this one writes."""
    ledger = SqlLedger(database, HandClock(), reserve=0)
    why = (reason(Code.FILM_SILENT), reason(Code.EXAM_UNKNOWN))
    with ledger.transaction() as tx:
        held = sheet(state=State.REVIEW, reasons=why, posterior=0.25, assigned_to="ann")
        waits = scan("s2", source="b", position=1, state=State.WAITING, reasons=why[:1])
        for record in (batch(), jacket(), scan(), held, waits):
            tx.add(record, happened(record.id, "added"))
        for asked in _asked():
            tx.add(asked, happened("2.25.1"))
        for stage, subject in ((Stage.READ, "s2"), (Stage.DECIDE, "j1"), (Stage.WRAP, "h1")):
            tx.schedule(stage, subject)
    places = "SELECT stage, subject, batch_id, jacket_id, urgent FROM task ORDER BY stage"
    placed = rows_of(database, places)
    told = SqlOverview(ledger).archives()
    assert [(one.archive, one.pending, one.differed) for one in told] == [("PACS", 1, 1)]
    assert (told[0].oldest_pending, told[0].last_read_back) == (NOON, NOON)
    assert [tuple(row)[2:4] for row in placed] == [("b1", "j1")] * 3
    written = SqlOverview(ledger).oldest_first(Filter())
    assert [one.subject for one in written] == ["h1", "s2"]
    made = ("standing", "review_lease", "console_session", "throttle", "account")
    made += ("old_commitment", "old_instance", "old_study", "old_source")
    later = (
        "ix_task_batch_id",
        "ix_task_jacket_id",
        "ix_task_urgent_due_at",
        "ix_jacket_urgent",
        "ix_commitment_archive_state",
        "ix_verification_archive_agrees",
    )
    execute_plainly(
        database,
        *(f"DROP TABLE {name}" for name in (*made, "work_order", "turn")),
        *(f"DROP INDEX {name}" for name in ("ix_event_name_at", *later)),
        *(f"ALTER TABLE task DROP COLUMN {name}" for name in ("batch_id", "jacket_id", "urgent")),
        "ALTER TABLE jacket DROP COLUMN urgent",
        "ALTER TABLE commitment DROP COLUMN archive",
        "ALTER TABLE verification DROP COLUMN archive",
        "ALTER TABLE verification DROP COLUMN agrees",
        f"UPDATE alembic_version SET version_num = '{_BEFORE_STANDINGS}'",
    )
    ledger.migrate()
    assert SqlOverview(ledger).oldest_first(Filter()) == written
    assert rows_of(database, places) == placed
    assert SqlOverview(ledger).archives() == told
    ledger.close()


def _asked() -> tuple[Capture, Commitment, Verification]:
    """Return a capture that somebody was asked to keep, and that came back otherwise."""
    own = {"sop_instance_uid": "2.25.1", "sop_class_uid": "1.2.3"}
    made = Capture(
        **own,
        series_instance_uid="2.25.2",
        study_instance_uid="2.25.3",
        sheet_id="h1",
        sha256="c" * 64,
        pixel_sha256="d" * 64,
        transfer_syntax_uid="1.2.4",
        size=10,
        made_at=NOON,
    )
    asked = Commitment(**own, transaction_uid="2.25.9", archive="PACS", requested_at=NOON)
    looked = Verification(
        id="v", sop_instance_uid="2.25.1", archive="PACS", at=NOON, method="C-GET", agrees=False
    )
    return made, asked, looked


def rows_of(url: str, query: str) -> list[Any]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(query))


def test_a_word_given_by_place_holds_no_more(database: str) -> None:
    """It can be read by the code of today, and fits nothing that it sees by content."""
    ledger = SqlLedger(database, HandClock(), reserve=0)
    word = GivenUp(what="missing", count=1, entries_sha256="0" * 64, by="lea", at=NOON, why="Lost.")
    source = Source(
        id="old1", name="disc", kind=SourceKind.FOLDER, place="/x", added_at=NOON, given_up=(word,)
    )
    with ledger.transaction() as tx:
        tx.add(source, happened("old1"))
    execute_plainly(
        database,
        """UPDATE old_source SET body = replace(body, 'entries_sha256', 'places_sha256')""",
        "UPDATE alembic_version SET version_num = '0008_older'",
    )
    ledger.migrate()
    with ledger.reading() as view:
        assert view.get(Source, "old1") == source
    ledger.close()
