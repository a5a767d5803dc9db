"""Settings of the line itself and of the instances it makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from digitizer.model.instance import Compression, TilePolicy

__all__ = ["CaptureSettings", "OlderSettings", "PipelineSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """How long things may take and how often they are tried."""

    undo_window_s: float = 60.0
    """Seconds a person's decision waits before it is wrapped (0 in `--wait` runs)."""
    jacket_quiet_s: float = 120.0
    """Seconds without a new scan after which a watched jacket is closed."""
    lease_s: float = 900.0
    """Seconds a worker may keep one task before it is given to another."""
    attempts: int = 3
    """Tries of one stage that end in an unforeseen error before a person is asked."""
    backoff_first_s: float = 1.0
    """First wait after a bad answer of the world; it doubles each time."""
    backoff_most_s: float = 300.0
    """Longest wait between two tries."""
    commitment_deadline_s: float = 600.0
    """Seconds after which an unanswered storage commitment is asked for again."""
    same_film_distance: int = 30
    """Bits two pictures' fingerprints may differ in and still be suspected to be one film.

    Measured on seven rehearsal rooms: second scans differ in 4 to 8 of 264, one that was cropped
    otherwise in 26; 982 pairs of other films in 39 or more.
    """
    reap_every_s: float = 1.0
    """Seconds between two looks for due work that nobody was told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSettings:
    """What a capture says of the site."""

    compression: Compression = Compression.JPEG_LS
    """Lossless encoding of pixel data: jpeg-ls, jpeg-2000, rle or none."""
    tiles: TilePolicy = TilePolicy.OFFER
    """Pictures of a sheet of many (CT, MR, ultrasound) beside the whole sheet, which is always
    stored: off, offer (told in batch and inspect, not stored), multiframe (one instance where DICOM
    allows it, else a series) or series (an instance a picture)."""
    modality: str = "RG"
    """Modality of film captures; RG is the honest one (PS3.3 C.7.3.1.1.1)."""
    modality_of: Mapping[str, str] = field(default_factory=dict)
    """Site policy: the index's modality to the one written, e.g. {"CR" = "CR", "MG" = "MG"}."""
    institution: str = ""
    """Institution Name written into every capture."""
    device_manufacturer: str = ""
    """Manufacturer of the film digitizer, where scans come without a scanner profile."""
    device_model: str = ""
    """Model of the film digitizer."""
    device_serial: str = ""
    """Serial number of the film digitizer, where the scans do not tell theirs; captures are in
    optical density once it is calibrated."""
    calibration_days: float = 7.0
    """Days after which a scanner's calibration is due again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderSettings:
    """How older digital archives are brought over."""

    rules: str = ""
    """File of the site's rules for headers (TOML); applied before those that are built in."""
    under_way: int = 100
    """Studies of one source that are under way at once, from being fetched to being verified."""
    largest_mb: int = 4096
    """Megabytes from which on a file is not taken."""
    read_pictures: float = 0.05
    """Share of the pictures of ultrasound and cameras, and of secondary captures, that are read for
    a name that contradicts the header; of other studies as many are looked through for pictures
    that say that writing is burnt in; 0 for none, 1 for all."""
