"""The table of stages: which function moves what from which state to which.

=========  =======  ======================  =======================================================
stage      subject  from → to               what it does
=========  =======  ======================  =======================================================
prepare    scan     received → prepared     decode, find the sheets, judge quality, guess the kind
read       scan     prepared → read         read labels and ID blocks, tell kind and orientation
decide     jacket   read → approved/review  search candidates, verify, decide the films together
wrap       sheet    approved → wrapped      render once from the original, make the capture
store      sheet    wrapped → stored        ask the archive, send the capture
commit     sheet    stored → committed      ask for storage commitment, believe only our own answer
verify     sheet    committed → verified    read back and compare with what was written
=========  =======  ======================  =======================================================
"""

from collections.abc import Mapping
from types import MappingProxyType

from digitizer.model.records import Stage
from digitizer.pipeline.advance import StageFunction
from digitizer.pipeline.deliver import commit, store, verify
from digitizer.pipeline.jacket import decide
from digitizer.pipeline.scans import prepare, read
from digitizer.pipeline.wrap import wrap

__all__ = ["STAGES"]

STAGES: Mapping[Stage, StageFunction] = MappingProxyType(
    {
        Stage.PREPARE: prepare,
        Stage.READ: read,
        Stage.DECIDE: decide,
        Stage.WRAP: wrap,
        Stage.STORE: store,
        Stage.COMMIT: commit,
        Stage.VERIFY: verify,
    }
)
