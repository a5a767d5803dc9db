"""The console: the web application for those who feed, decide and watch.

It is a thin door: what it shows comes from the ledger's overview, what it does are the use-cases of
:mod:`digitizer.pipeline`. It has no SQL, no state of its own that matters, and loads nothing from
elsewhere.
"""

from digitizer.console.app import make_app
from digitizer.console.site import Site

__all__ = ["Site", "make_app"]
