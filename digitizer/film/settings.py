"""From which values on a scan is complained about, and which complaints ask for a rescan."""

from dataclasses import dataclass

from digitizer.model.reasons import Code

__all__ = ["USUAL", "QualitySettings"]


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
    )
    """Complaints that send a film to review at once as rescan_proposed; the others only inform."""
    least_sharpness: float = 0.175
    """Steepest step, per pixel and of its own height, under which a scan is blurred.

    Measured on 120 drawn films: 0.18 to 0.48; blurred by three to five pixels 0.09 to 0.25.
    """
    most_noise: float = 0.02
    """Noise as a part of full scale. Drawn films reach 0.006."""
    most_clipped: float = 0.05
    """Part of the film at the end of the scanner's range."""
    most_banding: float = 0.003
    """Swing from line to line that all of a film shares, as a part of its brightness."""
    coarsest_mm: float = 0.2
    """Pitch of a pixel; 2.5 line pairs a millimetre need 0.2 (ACR-AAPM-SIIM, electronic practice).
    """


USUAL = QualitySettings()
"""Where no site has set its own."""
