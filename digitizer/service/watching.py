"""The watch folder as batches, one a day: every file ends in the same claim as any other scan."""

import threading

from digitizer.model.states import State
from digitizer.pipeline.ingest import Arrival, open_batch_of_the_day, take
from digitizer.pipeline.services import Services
from digitizer.scan.decoding import FileDecoder
from digitizer.scan.settings import WatchSettings
from digitizer.scan.walk import FoundFile
from digitizer.scan.watch import WatchFolder

__all__ = ["watch_batch"]


def watch_batch(
    services: Services,
    settings: WatchSettings,
    decoder: FileDecoder,
    stop: threading.Event | None = None,
) -> WatchFolder:
    """Return a watch folder whose files go into the batch of the day."""

    def claim(found: FoundFile) -> bool:
        folder = settings.folder.resolve() if settings.folder else ""
        batch = open_batch_of_the_day(services, "watch", str(folder))
        arrival = Arrival(path=found.path, source=found.source, box=found.box, jacket=found.jacket)
        return take(services, batch, arrival).state is not State.QUARANTINED

    return WatchFolder(settings, decoder.check, claim, stop)
