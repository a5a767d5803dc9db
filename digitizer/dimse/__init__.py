"""DIMSE as a requestor: associations that we open, and what is retrieved over them."""

from digitizer.dimse.association import Peer, checked, open_association
from digitizer.dimse.kept import Contexts, kept
from digitizer.dimse.message import Messages
from digitizer.dimse.quick import QUICK
from digitizer.dimse.retrieving import all_given, gotten

__all__ = [
    "QUICK",
    "Contexts",
    "Messages",
    "Peer",
    "all_given",
    "checked",
    "gotten",
    "kept",
    "open_association",
]
