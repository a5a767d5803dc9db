"""A clock for tests that need to know what time it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["HandClock"]


@dataclass
class HandClock:
    """A clock that stands until it is moved."""

    at: datetime = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def pause(self, seconds: float) -> None:
        self.forward(seconds)

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
