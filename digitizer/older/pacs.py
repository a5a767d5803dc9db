"""An old PACS: asked by C-FIND, emptied by C-GET or C-MOVE (PS3.4 C)."""

import logging
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from pydicom import Dataset
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelGet,
)

from digitizer.dicom import part10
from digitizer.dicom.header import header_of, text_of
from digitizer.dimse import gotten
from digitizer.errors import ArchiveRefused, SourceUnreachable
from digitizer.model.older import Encoded, Ending, OldHeader, PeerInstance, PeerStudy
from digitizer.older.asking import Line, Replies, in_our_words
from digitizer.older.listing import Lister, classes_in, number_of
from digitizer.older.moving import moved
from digitizer.older.offers import Context, classes_of, offers, offers_one_by_one
from digitizer.older.peers import PacsSettings
from digitizer.older.windows import Answers, Stock, Told

__all__ = ["OldPacs"]

logger = logging.getLogger(__name__)

_GET = str(StudyRootQueryRetrieveInformationModelGet)
_UID = re.compile(r"[0-9.]{1,64}")
_MOST_STUDIES = 1000
"""Answers to one question about studies: so parts stay small."""
_MOST_IMAGES = 1_000_000
_MOST_UIDS = 100
"""Instances named in one request."""
_STUDY_KEYS = (
    "StudyInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedInstances",
)
_BESIDE = frozenset(("SR", "KO", "PR", "DOC", "SEG", "REG"))
"""Modalities of what is made from pictures: they tell less of the exam than any other."""


class OldPacs:
    """Implements :class:`digitizer.ports.PeerSource` with pynetdicom.

    Parameters
    ----------
    settings : PacsSettings
    """

    def __init__(self, settings: PacsSettings) -> None:
        self._settings = settings
        self._peer = settings.peer
        self._lister = Lister()
        self._listed: tuple[str, frozenset[str]] = ("", frozenset())

    def studies(self, cursor: str) -> Iterator[tuple[tuple[PeerStudy, ...], str]]:
        """Yield studies part by part, each with the cursor to go on from after it."""
        with Line(self._peer, _MOST_STUDIES) as line:

            def ask(keys: Mapping[str, str]) -> Answers:
                return _answers(self._lister.studies(line, keys, _STUDY_KEYS))

            settings = self._settings
            today = datetime.now(UTC).date()
            stock = Stock(ask, today=today, first=settings.first, last=settings.last)
            yield from stock.parts(cursor)

    def instances(
        self, study_instance_uid: str, *, classes: tuple[str, ...] = (), each_class: bool = False
    ) -> tuple[PeerInstance, ...]:
        """List the instances of a study."""
        with Line(self._peer, _MOST_IMAGES) as line:
            found = self._lister.instances(line, study_instance_uid, classes, each_class=each_class)
        self._listed = study_instance_uid, frozenset(one.sop_instance_uid for one in found)
        return found

    def fetch_whole(
        self, study_instance_uid: str, classes: tuple[str, ...], ending: Ending
    ) -> Generator[bytes]:
        """Fetch a study of these SOP classes without having it listed.

        What the peer says that it gave stands in ``ending`` when all has come, unless anything
        failed, broke off or is not counted: then the study is to be listed. So it is where nothing
        comes, because its classes are more than one association takes.
        """
        offered = list(offers(classes))
        if len(offered) != 1:
            return
        queries = [_query("STUDY", StudyInstanceUID=study_instance_uid)]
        destination = self._settings.destination
        try:
            if destination is not None:
                yield from moved(self._peer, destination, queries, classes, ending)
            else:
                contexts = [(_GET, None), *offered[0][1]]
                yield from map(part10, gotten(self._peer, contexts, queries, ending=ending))
        except (ArchiveRefused, SourceUnreachable) as error:
            ending.given = None
            logger.info("a study did not come whole: %s", error.message)

    def fetch(self, study_instance_uid: str, wanted: Sequence[PeerInstance]) -> Iterator[bytes]:
        """Fetch instances of a study, each as a Part 10 file in the syntax the peer gives.

        What the peer cannot send does not come: that is no error here.

        Raises
        ------
        SourceUnreachable
            The peer is away, breaks off, or does not serve us; what came before was yielded.
        """
        if not wanted:
            return
        try:
            if self._settings.destination is not None:
                classes = [one.sop_class_uid for one in wanted if one.sop_class_uid]
                classes += self._told(study_instance_uid)
                queries = self._queries(study_instance_uid, wanted)
                yield from moved(self._peer, self._settings.destination, queries, classes)
            else:
                yield from self._got(study_instance_uid, wanted)
        except ArchiveRefused as error:
            raise in_our_words(error) from error

    def _got(self, study: str, wanted: Sequence[PeerInstance]) -> Iterator[bytes]:
        classes = {one: frozenset(self._classes(study, one)) for one in wanted}
        everything = sorted(frozenset().union(*classes.values()))
        missing = {one.sop_instance_uid: one for one in wanted}
        # One by one, each has to be asked for as what it is.
        one_by_one = () if self._told(study) else offers_one_by_one(everything)
        for some, contexts in chain(offers(everything), one_by_one):
            for again in (False, True):
                these = [one for one in missing.values() if not classes[one].isdisjoint(some)]
                if not these:
                    break
                try:
                    for one in self._given(study, these, contexts):
                        missing.pop(one.sop_instance_uid, None)
                        yield part10(one)
                    break
                except SourceUnreachable:
                    # One association may break; a second one in a row says that it is away.
                    if again:
                        raise

    def _given(
        self,
        study: str,
        wanted: Sequence[PeerInstance],
        contexts: Sequence[Context],
    ) -> Iterator[Encoded]:
        """C-GET over one association."""
        return gotten(self._peer, [(_GET, None), *contexts], self._queries(study, wanted))

    def _told(self, study: str) -> tuple[str, ...]:
        """Return the classes that the peer told of a study."""
        return self._lister.classes if self._listed[0] == study else ()

    def _classes(self, study: str, instance: PeerInstance) -> tuple[str, ...]:
        """Return of which classes an instance may be."""
        if instance.sop_class_uid:
            return (instance.sop_class_uid,)
        modality = self._lister.modalities.get(instance.series_instance_uid, "")
        return self._told(study) or classes_of(modality)

    def _queries(self, study: str, wanted: Sequence[PeerInstance]) -> list[Dataset]:
        """Return what to ask for: the whole study where it is wanted, else instances by name."""
        if self._listed == (study, frozenset(one.sop_instance_uid for one in wanted)):
            return [_query("STUDY", StudyInstanceUID=study)]
        by_series: dict[str, list[str]] = {}
        for one in wanted:
            by_series.setdefault(one.series_instance_uid, []).append(one.sop_instance_uid)
        return [
            _query(
                "IMAGE",
                StudyInstanceUID=study,
                SeriesInstanceUID=series,
                SOPInstanceUID=uids[start : start + _MOST_UIDS],
            )
            for series, uids in by_series.items()
            for start in range(0, len(uids), _MOST_UIDS)
        ]


def _query(level: str, **keys: str | list[str]) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return query


def _answers(replies: Replies) -> Answers:
    """Return studies as told; one without a usable UID can be asked for by nobody."""
    told = [_told(one) for one in replies.found]
    found = tuple(one for one in told if _UID.fullmatch(one.uid))
    if len(found) < len(told):
        logger.warning("the old archive told a study without a usable UID")
    return Answers(found=found, count=replies.count, cut=replies.cut, error=replies.error)


def _told(identifier: Dataset) -> Told:
    header = header_of(identifier)
    study = PeerStudy(
        study_instance_uid=text_of(identifier, "StudyInstanceUID"),
        header=_with_modality(header, text_of(identifier, "ModalitiesInStudy")),
        instances=number_of(identifier, "NumberOfStudyRelatedInstances"),
        classes=classes_in(identifier),
    )
    return Told(study=study, date=header.study_date, time=text_of(identifier, "StudyTime"))


def _with_modality(header: OldHeader, modalities: str) -> OldHeader:
    several = [one.strip() for one in modalities.split("\\") if one.strip()]
    several.sort(key=lambda one: one in _BESIDE)
    return replace(header, modality=several[0] if several else header.modality)
