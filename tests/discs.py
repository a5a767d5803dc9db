"""A disc that files are put onto one by one, and an archive in whose answers something happens."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from old_instances import an_instance
from old_town import OldSite

from digitizer.errors import UsageError
from digitizer.model.older import Encoded, Keep, Sent, Source, SourceKind
from digitizer.model.records import Stage
from digitizer.pipeline.advance import advance
from digitizer.pipeline.older.sources import add_source, stock_again
from digitizer.pipeline.stages import STAGES

__all__ = ["SMITH", "Disc", "Interrupting"]

SMITH = {
    "PatientID": "5550001", "PatientName": "SMITH^JOHN", "PatientBirthDate": "19200105",
    "PatientSex": "M",
}  # fmt: skip


class Disc:
    """A folder that files are put into one by one."""

    def __init__(self, site: OldSite, folder: Path) -> None:
        self.site, self.folder = site, folder
        folder.mkdir()

    def put(self, name: str, number: int, **attributes: Any) -> None:
        content = an_instance(study="x", number=number, **attributes)
        (self.folder / name).write_bytes(content)

    def add(self) -> Source:
        return add_source(
            self.site.services, self.folder.name, SourceKind.FOLDER, str(self.folder), user="ann",
            keep=Keep.VAULT,
        )  # fmt: skip

    def look_again(self, source: Source) -> None:
        stock_again(self.site.services, self.folder.name, user="ann")
        self.do(Stage.OLD_STOCK, source.id)

    def do(self, stage: Stage, subject: str) -> None:
        advance(self.site.services, stage, subject, STAGES)

    def approved(self) -> tuple[Source, str]:
        """Bring the one study to where it is decided and not yet sent."""
        source = self.add()
        self.do(Stage.OLD_STOCK, source.id)
        self.do(Stage.OLD_FEED, source.id)
        (study,) = self.site.studies()
        self.do(Stage.OLD_DECIDE, study.id)
        return source, study.id


class Interrupting:
    """Stands before the archive; something is tried after the first instance was taken."""

    def __init__(self, archive: Any, act: Any) -> None:
        self._archive, self._act = archive, act
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    def store_all(
        self, instances: Iterable[Encoded], kinds: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Sent]:
        for number, answer in enumerate(self._archive.store_all(instances, kinds)):
            if number == 0:
                try:
                    self._act()
                except UsageError:
                    self.refused += 1
            yield answer
