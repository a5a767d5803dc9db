"""From which values on a scan is complained about, and which complaints ask for a rescan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from digitizer.model.reasons import Code

__all__ = ["USUAL", "QualitySettings"]


_EXTREMITIES = (
    "HAND", "WRIST", "ELBOW", "FOREARM", "ARM", "FOOT", "ANKLE", "KNEE", "LEG", "THIGH",
)  # fmt: skip
_COARSEST_OF = MappingProxyType({"BREAST": 0.05, **dict.fromkeys(_EXTREMITIES, 0.1)})


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySettings:
    """Thresholds of quality; each complaint is a code of docs/reasons.md."""

    rescan_for: tuple[Code, ...] = (
        Code.BLURRED,
        Code.FILM_CUT_OFF,
        Code.DOUBLE_FEED,
        Code.LOST_LINES,
        Code.BANDING,
        Code.NOISY,
        Code.FILM_COVERED,
    )
    """Complaints that send a film to review at once as rescan_proposed; the others only inform."""
    least_sharpness: float = 0.158
    """Steepest step, per pixel and of its own height, under which a scan is blurred.

    Measured on 180 drawn films: 0.170 to 0.48; blurred by three to five pixels 0.06 to 0.147.
    """
    most_noise: float = 0.02
    """Noise as a part of full scale. Drawn films reach 0.006."""
    most_clipped: float = 0.05
    """Part of the film at the end of the scanner's range."""
    most_banding: float = 0.003
    """Swing from line to line that all of a film shares, as a part of its brightness."""
    most_dust: float = 17.5
    """Specks on a square decimetre. Of 60 drawn films none has more than 14.3, and none of as many
    scanned under a dusty glass less than 19.0 (seed 11001)."""
    fewest_bits: int = 10
    """Bits that carry information; a film holds a thousand shades and more."""
    coarsest_mm: float = 0.17
    """Pitch of a pixel for chests and all that is not named below (2.5 line pairs a millimetre need
    0.2, ACR-AAPM-SIIM, electronic practice; chest films are sampled at 0.143 to 0.175)."""
    coarsest_of: Mapping[str, float] = field(default_factory=lambda: dict(_COARSEST_OF))
    """What body parts need beyond that (Body Part Examined), once the film's text tells them."""


USUAL = QualitySettings()
"""Where no site has set its own."""
