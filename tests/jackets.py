"""Jackets that were read, written straight into a ledger, to be decided and reviewed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ledger_records import batch, happened, jacket, scan, sheet

from digitizer import wiring
from digitizer.config import Settings
from digitizer.identity import PolicySettings
from digitizer.ledger import SqlLedger, SqlPatientIndex
from digitizer.model.film import ScanKind, SheetKind
from digitizer.model.identity import ExamRecord, JacketRecord, PatientRecord, PersonName
from digitizer.model.reading import FieldSource, Line, Reading
from digitizer.model.reasons import Reason
from digitizer.model.records import JacketState, Sheet
from digitizer.model.states import State
from digitizer.model.units import Point
from digitizer.pipeline.bearers import testimony_of
from digitizer.pipeline.jacket import decide
from digitizer.pipeline.services import Services
from digitizer.pipeline.settings import PipelineSettings

__all__ = ["Site", "an_exam", "somebody"]

_BOX = (Point(0, 0), Point(100, 0), Point(100, 10), Point(0, 10))


def somebody(number: str, name: str, birth: str, sex: str = "F", **more: Any) -> PatientRecord:
    """Make a patient; ``name`` is FAMILY^GIVEN."""
    family, given = name.split("^")
    values: dict[str, Any] = {
        "patient_id": number,
        "issuer": "GEN",
        "name": PersonName(family=family, given=given),
        "birth_date": birth,
        "sex": sex,
    }
    return PatientRecord(**(values | more))


def an_exam(number: str, patient: str, day: str, part: str, films: int | None) -> ExamRecord:
    """Make an exam of a patient of issuer GEN."""
    return ExamRecord(
        accession_number=number,
        patient_id=patient,
        issuer="GEN",
        study_date=date.fromisoformat(day),
        description=part,
        body_part=part,
        expected_films=films,
    )


@dataclass
class Site:
    """A data folder with an index, and one batch of jackets already read."""

    services: Services

    @classmethod
    def at(
        cls,
        folder: Path,
        people: Sequence[PatientRecord],
        exams: Sequence[ExamRecord],
        jackets: Sequence[JacketRecord] = (),
        **policy: Any,
    ) -> "Site":
        settings = Settings(
            data_dir=folder,
            identity=PolicySettings(**policy),
            pipeline=PipelineSettings(undo_window_s=3600.0),
        )
        services = wiring.services(settings)
        assert isinstance(services.index, SqlPatientIndex)
        assert isinstance(services.ledger, SqlLedger)
        # Enough strangers that names and numbers have the weight they have in a town.
        strangers = [
            somebody(f"{2_000_000 + 7919 * n}", f"FAMILY{n % 97}X^GIVEN{n % 89}Y", "1950-03-01")
            for n in range(300)
        ]
        assert not services.index.import_patients([*people, *strangers]).refused
        assert not services.index.import_exams(exams).refused
        assert not services.index.import_jackets(jackets).refused
        with services.ledger.transaction() as tx:
            tx.add(batch(), happened("b1"))
        return cls(services)

    def jacket(
        self, name: str, label: Sequence[str], *films: Sequence[str], box: str = "BOX-1"
    ) -> list[str]:
        """Write a jacket down as read and decide it; return the ids of its films in order."""
        made: list[str] = []
        with self.services.ledger.transaction() as tx:
            opened = jacket(f"{box}-{name}", name, box=box, state=JacketState.CLOSED)
            tx.add(opened, happened(opened.id))
            bearers = [("label", label, SheetKind.LABEL)]
            bearers += [(f"f{n}", film, SheetKind.FILM) for n, film in enumerate(films, start=1)]
            for position, (own, lines, kind) in enumerate(bearers):
                film_id = f"{name}-{own}"
                of = scan(
                    f"scan-{film_id}", jacket_id=opened.id, source=f"{box}/{name}/{own}.tif",
                    position=len(tx.scans(batch_id="b1")) + position, sha256=None,
                    state=State.READ, kind=ScanKind(kind.value),
                )  # fmt: skip
                tx.add(of, happened(of.id))
                read = sheet(
                    film_id, scan_id=of.id, jacket_id=opened.id, kind=kind,
                    state=State.READ, reading=_reading(lines),
                )  # fmt: skip
                said = testimony_of(
                    self.services,
                    [read],
                    FieldSource.LABEL if kind is SheetKind.LABEL else FieldSource.FILM,
                )
                tx.add(sheet(**(_values(read) | {"fields": said.fields})), happened(film_id))
                if kind is SheetKind.FILM:
                    made.append(film_id)
        decide(self.services, opened.id)
        return made

    def film(self, film_id: str) -> Sheet:
        """Return a film as the ledger has it now."""
        with self.services.ledger.reading() as view:
            return view.get(Sheet, film_id)

    def codes(self, film_id: str) -> list[str]:
        """Return the codes of what a film is held for."""
        return [one.code.value for one in self.film(film_id).reasons]

    def hold_for(self, film_id: str, *reasons: Reason) -> None:
        """Add reasons to a film in review."""
        with self.services.ledger.transaction() as tx:
            current = tx.get(Sheet, film_id)
            more = {"reasons": (*current.reasons, *reasons)}
            tx.save(Sheet(**(_values(current) | more)), happened(film_id))


def _values(record: Sheet) -> dict[str, Any]:
    return {name: getattr(record, name) for name in Sheet.__dataclass_fields__}


def _reading(lines: Sequence[str]) -> Reading:
    return Reading(
        lines=tuple(Line(text=text, confidence=0.95, box=_BOX, engine="rapidocr") for text in lines)
    )
