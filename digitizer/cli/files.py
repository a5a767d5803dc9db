"""Commands for one file, without a ledger: inspect, convert, read-label; and match."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import IO

import click

from digitizer import identity, reading, wiring
from digitizer.cli.base import Session, Verb, json_option, note, pass_session, print_json
from digitizer.errors import UsageError
from digitizer.model.density import ScannerProfile
from digitizer.model.identity import PatientRecord, PersonName
from digitizer.model.instance import TilePolicy
from digitizer.model.reading import FieldSource, Testimony
from digitizer.pipeline.convert import Conversion, Converted
from digitizer.pipeline.convert import convert as convert_file
from digitizer.pipeline.convert import inspect as inspect_file
from digitizer.pipeline.convert import read_label as read_label_file
from digitizer.pipeline.weights import adopted_weights

__all__ = ["COMMANDS"]


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", remedy="Give one scan.")
    return path


@click.command(cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_session
def inspect(session: Session, file: Path, as_json: bool) -> int:
    """Show what a scan holds: films, geometry, quality, fields."""
    settings = session.settings
    document = inspect_file(
        wiring.decoder(settings),
        wiring.reader(settings),
        wiring.rules(settings),
        _existing(file),
        limits=settings.quality,
        tiles=settings.capture.tiles is not TilePolicy.OFF,
    )
    if as_json:
        print_json(document)
    else:
        print(f"{document['source']}: {document['kind']}")
        for one in document["films"]:
            print(
                f"  film, page {one['page']}: skew {one['skew_deg']}, turn {one['turn_deg']}, "
                f"mirrored {one['mirrored']}, {one['size_mm']} mm"
            )
            if one["tiles"]:
                print(f"    {one['tiles']['rows']} x {one['tiles']['columns']} pictures")
        for name, field in document["fields"].items():
            print(f"  {name}: {field['value']} ({field['confidence']:.2f})")
        for one in document["reasons"]:
            print(f"  {one['text']}")
    return 1 if document["kind"] == "unreadable" else 0


@click.command(cls=Verb, name="read-label")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_session
def read_label(session: Session, file: Path, as_json: bool) -> int:
    """Read one label: lines, barcodes, fields."""
    settings = session.settings
    document = read_label_file(
        wiring.decoder(settings), wiring.reader(settings), wiring.rules(settings), _existing(file)
    )
    if as_json:
        print_json(document)
        return 0
    for line in document["lines"]:
        print(f"{line['engine']}: {line['text']}")
    for code in document["barcodes"]:
        print(f"{code['format']}: {code['text']}")
    for name, field in document["fields"].items():
        print(f"{name} = {field['value']} ({field['confidence']:.2f})")
    return 0


def _day(context: click.Context, parameter: click.Parameter, value: str | None) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{value} is no date.", remedy="Write YYYY-MM-DD.") from None


@click.command(cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True)
@click.option("--patient-id", default="")
@click.option("--issuer", default="")
@click.option("--patient-name", default="", help="FAMILY^GIVEN^MIDDLE^^SUFFIX")
@click.option("--birth-date", callback=_day, help="YYYY-MM-DD")
@click.option("--sex", type=click.Choice(["M", "F", "O"]), default=None)
@click.option("--accession", "accession_number", default="")
@click.option("--study-date", callback=_day, help="YYYY-MM-DD")
@click.option("--description", default="")
@click.option("--body-part", default="")
@click.option("--laterality", type=click.Choice(["L", "R", "B"]), default=None)
@click.option("--modality", default="")
@click.option("--study-uid", default="")
@click.option("--series-uid", default="")
@click.option("--sop-uid", default="")
@click.option("--scanner", help="Serial number of the digitizer: in its calibrated densities.")
@pass_session
def convert(
    session: Session,
    file: Path,
    out: Path,
    patient_id: str,
    issuer: str,
    patient_name: str,
    birth_date: date | None,
    sex: str | None,
    laterality: str | None,
    scanner: str | None,
    **exam: object,
) -> int:
    """Turn one scan into DICOM: OUT.dcm, or OUT-1.dcm, OUT-2.dcm for several films.

    The pictures of a sheet of many go to OUT-tiles.dcm, or OUT-tiles-1.dcm, OUT-tiles-2.dcm, where
    the setting capture.tiles says so.
    """
    settings = session.settings
    patient = None
    if patient_id or patient_name or birth_date or sex:
        family, given, middle, _, suffix = (patient_name.split("^") + [""] * 5)[:5]
        patient = PatientRecord(
            patient_id=patient_id,
            issuer=issuer,
            name=PersonName(family=family, given=given, middle=middle, suffix=suffix),
            birth_date=birth_date.isoformat() if birth_date else "",
            sex=sex or "",
        )
    given_values = Conversion(patient=patient, laterality=laterality or "", **exam)  # type: ignore[arg-type]
    made = convert_file(
        wiring.decoder(settings),
        wiring.reader(settings),
        wiring.rules(settings),
        settings.capture,
        _existing(file),
        given_values,
        _profiles(session, scanner),
    )
    base = out.with_suffix("") if out.suffix.lower() == ".dcm" else out
    if not base.parent.is_dir():
        raise UsageError(f"There is no folder {base.parent}.")
    for target, content in _named(base, made):
        if target.exists():
            raise UsageError(f"{target} is there already.", remedy="Nothing is overwritten.")
        target.write_bytes(content)
        note(str(target))
    return 0


def _named(base: Path, made: list[Converted]) -> Iterator[tuple[Path, bytes]]:
    """Name the files: numbered where there are several."""
    for number, sheet in enumerate(made, start=1):
        name = base.name if len(made) == 1 else f"{base.name}-{number}"
        yield base.with_name(f"{name}.dcm"), sheet.whole
        for part, content in enumerate(sheet.tiles, start=1):
            end = "" if len(sheet.tiles) == 1 else f"-{part}"
            yield base.with_name(f"{name}-tiles{end}.dcm"), content


def _profiles(session: Session, scanner: str | None) -> tuple[ScannerProfile, ...]:
    """Return the profiles of the scanner that is named; only then the ledger is looked into."""
    if scanner is None:
        return ()
    with session.services.ledger.reading() as view:
        profiles = view.profiles(scanner)
    if not profiles:
        raise UsageError(
            f"The scanner {scanner} was never calibrated here.", remedy="Run `digitizer calibrate`."
        )
    return profiles


@click.command(cls=Verb)
@click.argument("file")
@click.option("--threshold-budget", type=click.FloatRange(min=0), help="Wrong filings per 100,000.")
@pass_session
def match(session: Session, file: str, threshold_budget: float | None) -> int:
    """Decide on readings (JSON lines): the same decisions as the pipeline's, nothing written."""
    services = session.services
    policy = services.policy
    if threshold_budget is not None:
        policy = replace(policy, budget_per_100k=threshold_budget)

    def testify(
        lines: tuple[str, ...], barcodes: tuple[str, ...], source: FieldSource
    ) -> Testimony:
        return reading.testimony_of_lines(lines, barcodes, source, services.rules)

    with services.ledger.reading() as view:
        stopped = {one.id: one.why for one in view.standings() if one.stopped}
    with _lines(file) as stream:
        weights = adopted_weights(services)
        for answer in identity.match_lines(
            stream, testify, services.index, policy, stopped, weights=weights
        ):
            print_json(answer)
    return 0


@contextmanager
def _lines(file: str) -> Iterator[IO[str]]:
    """Open readings; bytes that are no UTF-8 spoil their own line only."""
    if file == "-":
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        yield sys.stdin
        return
    with _existing(Path(file)).open(encoding="utf-8", errors="replace") as stream:
        yield stream


COMMANDS: tuple[click.Command, ...] = (inspect, convert, read_label, match)
