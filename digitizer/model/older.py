"""Older digital archives: where they are, what they hold, and what became of each instance."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique

from digitizer.model.identity import Candidate
from digitizer.model.reasons import Code, Reason
from digitizer.model.records import CommitmentState, Decision
from digitizer.model.states import State

__all__ = [
    "GivenUp",
    "Keep",
    "OldCommitment",
    "OldHeader",
    "OldInstance",
    "OldStudy",
    "PeerInstance",
    "PeerStudy",
    "PictureRow",
    "Sent",
    "Source",
    "SourceKind",
]


@unique
class SourceKind(StrEnum):
    """What an older archive is."""

    FOLDER = "folder"
    """DICOM files in folders: discs with or without a DICOMDIR, ISO images, another archive's own
    storage."""
    PACS = "pacs"
    """An archive that answers C-FIND, and C-GET or C-MOVE."""
    PICTURES = "pictures"
    """Pictures with an index file that says whose they are."""


@unique
class Keep(StrEnum):
    """Where the original files stay."""

    VAULT = "vault"
    """Copied into the vault, as they are."""
    PLACE = "place"
    """Where they lie; nothing changes, moves or deletes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """A person's word that what stands in a list cannot be had, and is done without.

    Attributes
    ----------
    what : str
        Name of the list.
    count : int
        Entries of the list, as the person saw it.
    entries_sha256 : str
        Of reason, place and content hash of each: the word is given for these alone.
    """

    what: str
    count: int
    entries_sha256: str
    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One older archive that is brought over.

    Attributes
    ----------
    place : str
        Folder, file, or ``AE@host:port``.
    issuer : str
        Who issued the record numbers that come without an issuer; empty: unknown.
    options : mapping
        What its kind needs beside (how to retrieve, the index file, the pace).
    stocked : bool
        All of it has been looked through.
    cursor : str
        Where looking through goes on.
    told_studies, told_instances : int or None
        How many the peer says it has; None where nobody says.
    gone : int
        Studies that the peer told before, and not when it was last asked again.
    pictures_read, pictures_apart : int
        Instances whose pictures were read, and those in which writing names another patient.
    given_up : tuple of GivenUp
        What a person does without, one for each list.
    checked_at : datetime or None
        When the peer was asked again, at the end, for what changed meanwhile.
    paced_until : datetime or None
        Up to when studies have been started, where a pace holds them back.
    """

    id: str
    name: str
    kind: SourceKind
    place: str
    added_at: datetime
    keep: Keep = Keep.PLACE
    issuer: str = ""
    options: dict[str, str] = field(default_factory=dict)
    stocked: bool = False
    cursor: str = ""
    told_studies: int | None = None
    told_instances: int | None = None
    gone: int = 0
    pictures_read: int = 0
    pictures_apart: int = 0
    given_up: tuple[GivenUp, ...] = ()
    checked_at: datetime | None = None
    paced_until: datetime | None = None
    paused: bool = False
    trouble: str = ""
    """Why looking through it has stopped; empty while it has not."""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OldHeader:
    """What the header of an instance (or a row of an index file) says, as text, unchanged.

    Dates are as DICOM writes them (``YYYYMMDD``), names with carets.
    """

    patient_id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    accession_number: str = ""
    study_date: str = ""
    description: str = ""
    modality: str = ""
    body_part: str = ""
    laterality: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What says whose it is."""
        return (self.patient_id, self.issuer, self.name, self.birth_date, self.sex)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRow:
    """What an index file says of one picture.

    Attributes
    ----------
    line : int
        Where it stands in the index file, from 1.
    place : str
        Of the file, as the row spells it, with "/".
    page : int or None
        From 1; None: all pages of the file.
    conversion_type : str
        How the picture came to be (PS3.3 C.8.6.1); empty: not told.
    film : bool
        It is the scan of a film, and is to be read like one.
    """

    line: int
    place: str
    page: int | None = None
    header: OldHeader
    conversion_type: str = ""
    film: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OldStudy:
    """One study of a source: what is decided, sent, committed and verified together.

    Attributes
    ----------
    header : OldHeader
        Of its first instance, or as the peer tells it.
    expected : int or None
        Instances that the peer says the study has.
    classes : tuple of str
        SOP classes that the peer said the study has; empty where it did not.
    others : tuple of OldHeader
        What other instances of the study say where that is another patient; the first few.
    """

    id: str
    source_id: str
    study_instance_uid: str
    header: OldHeader
    changed_at: datetime
    state: State = State.RECEIVED
    resume: State | None = None
    reasons: tuple[Reason, ...] = ()
    expected: int | None = None
    classes: tuple[str, ...] = ()
    told: bool = False
    """The header is what a peer told; no file was seen yet."""
    others: tuple[OldHeader, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    posterior: float | None = None
    decision: Decision | None = None
    confirmed: tuple[str, ...] = ()
    """Codes a person has looked at and settled."""
    version: int = 0

    @property
    def code(self) -> str:
        """The first reason it is held for; empty where it is not."""
        return self.reasons[0].code.value if self.reasons else ""

    @property
    def patient_id(self) -> str:
        """Number of the patient decided; empty before."""
        return self.decision.patient.patient_id if self.decision else ""

    @property
    def issuer(self) -> str:
        """Issuer of the number of the patient decided; empty before."""
        return self.decision.patient.issuer if self.decision else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldInstance:
    """One file of a source, or one instance of a peer: a row for each, whatever became of it.

    Attributes
    ----------
    place : str
        Path in the source with "/", ``IMAGE.ISO//path`` inside an image, ``PICTURE//page`` of
        several pages, or the SOP Instance UID at a peer.
    study_id : str
        Empty where the file is no instance.
    state : State
        ``read`` once it is in hand and whole, ``stored``, ``committed``, ``verified``; ``review``
        for a collision, ``quarantined`` for what is damaged, ``duplicate``, and ``rejected`` for
        what is no instance or not wanted.
    code, note : str
        Why it is not on its way, and the words for it.
    pack, offset : str, int
        Vault address of the tar file that holds the original, and where in it; ``pack`` is empty
        where the original stays at its place.
    size : int
        Of the file; of a picture, of the instance made of it.
    sha256 : str
        Of the file as found.
    data_sha256 : str
        Of the dataset without preamble and file meta information: two files of one instance have
        the same. Of a picture, of its bytes, the page, and what its row says.
    pixel_sha256 : str
        Of Pixel Data (or what stands for it) and all after it, as encoded; empty without.
    sent_uid : str
        SOP Instance UID under which it is sent; empty: its own.
    sent_sha256 : str
        Of the dataset that was sent; empty before.
    """

    source_id: str
    place: str
    study_id: str = ""
    sop_instance_uid: str = ""
    sop_class_uid: str = ""
    series_instance_uid: str = ""
    transfer_syntax_uid: str = ""
    state: State = State.RECEIVED
    code: Code | None = None
    note: str = ""
    size: int = 0
    sha256: str = ""
    data_sha256: str = ""
    pixel_sha256: str = ""
    pack: str = ""
    offset: int = 0
    sent_uid: str = ""
    sent_sha256: str = ""

    @property
    def outgoing_uid(self) -> str:
        """SOP Instance UID under which it stands in the archive."""
        return self.sent_uid or self.sop_instance_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class OldCommitment:
    """One storage commitment request for the instances of a study, and its outcome."""

    transaction_uid: str
    study_id: str
    archive: str
    requested_at: datetime
    asked: tuple[str, ...]
    state: CommitmentState = CommitmentState.PENDING
    failed: tuple[str, ...] = ()
    answered_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStudy:
    """One study as a peer tells it; ``classes`` are its SOP classes, where it tells them."""

    study_instance_uid: str
    header: OldHeader
    instances: int | None = None
    classes: tuple[str, ...] = ()


@dataclass(slots=True)
class Ending:
    """How a peer ended what it was asked to give.

    Attributes
    ----------
    given : int or None
        How many instances it says that it gave; None where anything failed or broke off, and where
        it does not say.
    """

    given: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerInstance:
    """One instance as a peer tells it."""

    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """An instance as it travels from archive to archive.

    Attributes
    ----------
    data : bytes
        Its dataset as encoded in the transfer syntax, without file meta information.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What an archive answered for one instance of many.

    ``refused`` is empty when the archive took it; else why it did not.
    """

    sop_instance_uid: str
    status: int | None
    refused: str = ""
