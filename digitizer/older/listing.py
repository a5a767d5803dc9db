"""The instances of one study, as a peer lists them: series by series, past its caps.

Of which class each is, many a peer has to open the instance's file to tell: Orthanc 1.10 answers
for a thousand instances in 0.7 s, and in 2 s with their classes. So the classes of a study are
asked for, with all else that is asked of studies, where the peer tells those, and those of the
instances where it does not, or where they are more than one association takes.

A peer that caps its answers does so here too. A list is believed when it is as long as the peer
says the series is, or shorter than one that came before; else what is missing is asked for by its
number.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from pydicom import Dataset

from digitizer.dicom.header import text_of
from digitizer.errors import SourceUnreachable
from digitizer.model.older import PeerInstance
from digitizer.older.asking import Line, Replies
from digitizer.older.offers import offers

__all__ = ["Lister", "classes_in", "number_of"]

_UID = re.compile(r"[0-9.]{1,64}")
_LEAST = 10
"""No peer caps below this."""
_MISSES = 5
"""Numbers in a row that nothing has, behind the highest one known."""
_MOST_GAPS = 500
_CLASSES = "SOPClassesInStudy"


@dataclass(slots=True)
class Lister:
    """Lists studies, and remembers how long an answer may be and what is in the last study."""

    largest: dict[str, int] = field(default_factory=dict)
    modalities: dict[str, str] = field(default_factory=dict)
    """By series."""
    classes: tuple[str, ...] = ()
    """Of the whole study, where the peer told them and not those of its instances."""
    tells_classes: bool = True

    def studies(self, line: Line, keys: Mapping[str, str], wanted: tuple[str, ...]) -> Replies:
        """Ask for studies, and for the classes of each where the peer tells them."""
        if self.tells_classes:
            with suppress(SourceUnreachable):
                replies = line.find("STUDY", keys, (*wanted, _CLASSES))
                if replies.error is None:
                    return replies
        replies = line.find("STUDY", keys, wanted)
        if replies.error is None:
            # It fails, or breaks off, over what it does not know: it is not asked that again.
            self.tells_classes = False
        return replies

    def instances(
        self,
        line: Line,
        study_instance_uid: str,
        classes: tuple[str, ...] = (),
        *,
        each_class: bool = False,
    ) -> tuple[PeerInstance, ...]:
        """List the instances of a study.

        The class of each is left empty where the peer tells those of the study as a whole, now or
        ``classes`` before, unless ``each_class`` has it asked for.
        """
        found: list[PeerInstance] = []
        self.modalities.clear()
        study = {"StudyInstanceUID": study_instance_uid}
        self.classes = () if each_class else _usable(classes) or self._classes(line, study)
        wanted = () if self.classes else ("SOPClassUID",)
        series = self._all(line, "SERIES", study, ("Modality", "NumberOfSeriesRelatedInstances"))
        for uid, told in series.items():
            self.modalities[uid] = text_of(told, "Modality")
            expected = number_of(told, "NumberOfSeriesRelatedInstances")
            keys = {**study, "SeriesInstanceUID": uid}
            images = self._all(line, "IMAGE", keys, wanted, expected)
            found += [_instance(name, uid, image) for name, image in images.items()]
        return tuple(found)

    def _classes(self, line: Line, study: Mapping[str, str]) -> tuple[str, ...]:
        """Return the SOP classes in a study, as many as may be asked for at once, or none."""
        if not self.tells_classes:
            return ()
        replies = self.studies(line, study, ())
        whole = len(replies.found) == 1 and not replies.cut and replies.error is None
        return _usable(classes_in(replies.found[0])) if whole else ()

    def _all(
        self,
        line: Line,
        level: str,
        keys: Mapping[str, str],
        wanted: tuple[str, ...],
        expected: int | None = None,
    ) -> dict[str, Dataset]:
        """Return what stands at a level, by UID."""
        unique, number = _LEVELS[level]
        replies = line.find(level, keys, (unique, number, *wanted))
        if replies.error:
            raise replies.error
        found = _by_uid(replies.found, unique)
        largest = max(self.largest.get(level, _LEAST), replies.count)
        self.largest[level] = largest
        if not replies.cut and (
            len(found) >= expected if expected is not None else replies.count < largest
        ):
            return found
        numbers = {number_of(one, number) for one in found.values()}
        highest = max((one for one in numbers if one is not None), default=0)
        asked = 0
        for one in count(0):
            if one > highest + _MISSES or asked >= _MOST_GAPS or len(found) == expected:
                break
            if one in numbers:
                continue
            more = line.find(level, {**keys, number: str(one)}, (unique, number, *wanted))
            new = _by_uid(more.found, unique)
            # A peer that does not heed the number tells nothing new, again and again.
            asked = 0 if new.keys() - found.keys() else asked + 1
            if new.keys() - found.keys():
                highest = max(highest, one)
            found |= new
        return found


_LEVELS = {
    "SERIES": ("SeriesInstanceUID", "SeriesNumber"),
    "IMAGE": ("SOPInstanceUID", "InstanceNumber"),
}


def classes_in(told: Dataset) -> tuple[str, ...]:
    """Return the SOP classes of a study as told; none where one of them can be none."""
    names = text_of(told, _CLASSES).split("\\")
    classes = tuple(dict.fromkeys(one.strip() for one in names))
    return classes if all(_UID.fullmatch(one) for one in classes) else ()


def _usable(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return classes that may be asked for at once, or none."""
    return classes if len(list(offers(classes))) == 1 else ()


def _by_uid(replies: tuple[Dataset, ...], unique: str) -> dict[str, Dataset]:
    named = {text_of(one, unique): one for one in replies}
    return {uid: one for uid, one in named.items() if _UID.fullmatch(uid)}


def _instance(uid: str, series: str, told: Dataset) -> PeerInstance:
    sop_class = text_of(told, "SOPClassUID")
    return PeerInstance(
        sop_instance_uid=uid,
        sop_class_uid=sop_class if _UID.fullmatch(sop_class) else "",
        series_instance_uid=series,
    )


def number_of(told: Dataset, keyword: str) -> int | None:
    """Return a whole number as told; None where there is none."""
    text = text_of(told, keyword)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
