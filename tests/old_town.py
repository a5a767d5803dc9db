"""A small town's index for older archives, and a place of work that does its stages by itself."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from jackets import somebody
from orthanc_server import free_port
from waiting import wait_until

from digitizer import dicom, wiring
from digitizer.archive.embedded import EmbeddedArchive
from digitizer.archive.listener import Listener
from digitizer.archive.received import SYNTAXES
from digitizer.archive.reports import CommitmentReport
from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.config import Settings
from digitizer.ledger import SqlLedger, SqlPatientIndex
from digitizer.model.identity import PatientRecord, PersonName
from digitizer.model.older import OldStudy, Source
from digitizer.model.states import State
from digitizer.pipeline.advance import advance
from digitizer.pipeline.deliver import commitment_answered
from digitizer.pipeline.older.printed import printed_source
from digitizer.pipeline.older.reconcile import settled
from digitizer.pipeline.services import Services
from digitizer.pipeline.settings import PipelineSettings
from digitizer.pipeline.stages import STAGES

__all__ = ["PEOPLE", "OldSite", "an_index"]

PEOPLE = (
    somebody("4711822", "OKONKWO^JANE", "1931-04-02"),
    somebody("4711823", "OKONKWO^JOAN", "1931-04-02"),  # her twin, one digit away
    somebody("5550001", "SMITH^JOHN", "1920-01-05", "M"),
    somebody("5550002", "SMITH^JOHN", "1948-09-30", "M"),  # a namesake
    PatientRecord(
        patient_id="6660001",
        issuer="GEN",
        name=PersonName(family="LINDQVIST", given="PAUL", suffix="SR"),
        birth_date="1910-03-03",
        sex="M",
    ),
    somebody(
        "7770001",
        "VANDYKE^ROSE",
        "1950-05-05",
        former_names=(PersonName(family="PRYOR", given="ROSE"),),
    ),
    somebody("8880001", "TANAKA^YUKI", "1955-08-08", other_ids=(("GEN", "8080915"),)),
)


def an_index(services: Services) -> SqlPatientIndex:
    """Fill the index with people and enough strangers that names have the weight of a town's."""
    index = services.index
    assert isinstance(index, SqlPatientIndex)
    strangers = [
        somebody(f"{2_000_000 + 7919 * n}", f"FAMILY{n % 97}X^GIVEN{n % 89}Y", "1950-03-01")
        for n in range(300)
    ]
    assert not index.import_patients([*PEOPLE, *strangers]).refused
    return index


@dataclass
class OldSite:
    """A data folder with an archive and a listener; its stages are done here, one by one."""

    services: Services
    settings: Settings
    neighbour: ListenerSettings

    @classmethod
    @contextmanager
    def at(
        cls,
        folder: Path,
        archive: ArchiveSettings | None = None,
        neighbour: ListenerSettings | None = None,
        **more: Any,
    ) -> Iterator["OldSite"]:
        """Open a place of work with its own archive, or beside one that has such.

        Its own takes nothing lossy, as some archives do.
        """
        listener = neighbour or ListenerSettings(port=free_port(), ae_title="FIRST")
        other = ListenerSettings(port=free_port(), ae_title="SECOND")
        settings = Settings(
            data_dir=folder / "data",
            archive=archive
            or ArchiveSettings(host="127.0.0.1", port=free_port(), ae_title="KEEPER"),
            listener=listener,
            pipeline=PipelineSettings(undo_window_s=0.0, backoff_first_s=0.01),
            **more,
        )
        services = wiring.services(settings)
        assert isinstance(services.ledger, SqlLedger)

        def report(came: CommitmentReport) -> None:
            commitment_answered(
                services,
                transaction_uid=came.transaction_uid,
                from_ae=came.from_ae,
                succeeded=frozenset(came.succeeded),
                failed=dict(came.failed),
            )

        with ExitStack() as stack:
            if archive is None:
                peers = {one.ae_title: (one.host, one.port) for one in (listener, other)}
                own = EmbeddedArchive(
                    folder / "archive",
                    host="127.0.0.1",
                    port=settings.archive.port,
                    ae_title="KEEPER",
                    peers=peers,
                    syntaxes=SYNTAXES,
                )
                stack.enter_context(own)
            stack.enter_context(Listener(listener, report))
            yield cls(services, settings, other)

    def work(self, source: Source, patience_s: float = 60.0) -> None:
        """Do what is due until nothing of a source is under way."""

        def once() -> bool:
            for task in self.services.ledger.due(self.services.clock.now()):
                advance(self.services, task.stage, task.subject, STAGES)
            with self.services.ledger.reading() as view:
                current = view.get(Source, source.id)
                return settled(view, current) and not view.tasks(subjects=[source.id])

        wait_until(once, patience_s=patience_s)

    def studies(self, state: State | None = None) -> list[OldStudy]:
        """Return the studies of all sources, in one state or all."""
        with self.services.ledger.reading() as view:
            return list(view.old_studies(states=(state,) if state else ()))

    def report(self, source: Source) -> str:
        """Return what the printed report of an older archive says, its lines joined."""
        with self.services.ledger.reading() as view:
            current = view.get(Source, source.id)
        pages = pdfium.PdfDocument(printed_source(self.services, current, by="kay"))
        return " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pages).split())

    def keeps(self, study_instance_uid: str) -> dict[str, bytes]:
        """Return what the archive keeps of a study, by SOP Instance UID."""
        uids = set(self.services.archive.holdings(study_instance_uid, "").instances)
        with self.services.ledger.reading() as view:
            kinds = {
                (row.sop_class_uid, row.transfer_syntax_uid)
                for study in view.old_studies(uids=(study_instance_uid,))
                for row in view.old_instances(study_id=study.id)
                if row.sop_class_uid
            }
        found = {}
        for one in self.services.archive.retrieve_all(study_instance_uid, sorted(kinds)):
            found[one.sop_instance_uid] = dicom.part10(one)
        assert set(found) == uids
        return found

    def with_archive(self, archive: Any) -> "OldSite":
        """Return the same place of work with something between it and its archive."""
        return OldSite(replace(self.services, archive=archive), self.settings, self.neighbour)
