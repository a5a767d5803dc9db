"""DIMSE as a requestor: associations that we open, and what is retrieved over them."""

from digitizer.dimse.association import Peer, checked, open_association
from digitizer.dimse.quick import QUICK
from digitizer.dimse.retrieving import gotten
from digitizer.dimse.spool import Spool

__all__ = ["QUICK", "Peer", "Spool", "checked", "gotten", "open_association"]
