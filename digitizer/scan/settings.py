"""Settings of what comes in."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["DecodeSettings", "WatchSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeSettings:
    """Limits on pictures, checked from their headers before anything is allocated."""

    max_megapixels: float = 400.0
    """Largest page that is decoded; 14x36 in at 600 dpi is 181."""
    max_pages: int = 200
    """Most pages of one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """The watch folder."""

    folder: Path | None = None
    """Folder that is watched; none by default."""
    stability_delay_s: float = 5.0
    """Seconds a file must be quiet before it is looked at."""
    give_up_s: float = 120.0
    """Seconds after which a quiet file that is not complete is taken in and quarantined."""
    poll: bool | None = None
    """Look regularly instead of waiting for the system's notice; by itself on network shares."""
    move: bool = True
    """Move files that were taken in to done/ beside them, empty and unreadable ones to failed/;
    what proves to be no picture once it is in is quarantined in its batch (`batch show`)."""
