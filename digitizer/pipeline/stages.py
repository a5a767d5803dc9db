"""The table of stages: which function moves what from which state to which.

========== =======  ======================  =======================================================
stage      subject  from → to               what it does
========== =======  ======================  =======================================================
prepare    scan     received → prepared     decode, find the sheets, judge quality, guess the kind
read       scan     prepared → read         read labels and ID blocks, tell kind and orientation
decide     jacket   read → approved/review  search candidates, verify, decide the films together
wrap       sheet    approved → wrapped      render once from the original, make the capture
store      sheet    wrapped → stored        ask the archive, send the capture
commit     sheet    stored → committed      ask for storage commitment, believe only our own answer
verify     sheet    committed → verified    read back and compare with what was written
old_stock  source   a part of it            look through an older archive, going on where it was
old_feed   source   studies set going       as many as its pace and what is under way allow
old_take   study    received → read         fetch it from the peer
old_decide study    read → approved/review  decide whose it is, by its header
old_store  study    approved → stored       compare what the archive has, send the rest
old_commit study    stored → committed      ask for storage commitment
old_verify study    committed → verified    read back and compare with what was sent
========== =======  ======================  =======================================================
"""

from collections.abc import Mapping
from types import MappingProxyType

from digitizer.model.records import Stage
from digitizer.pipeline.advance import StageFunction
from digitizer.pipeline.deliver import commit, store, verify
from digitizer.pipeline.jacket import decide
from digitizer.pipeline.older import commitment as older_commitment
from digitizer.pipeline.older import decide as older_decide
from digitizer.pipeline.older import deliver as older_deliver
from digitizer.pipeline.older import readback as older_readback
from digitizer.pipeline.older.feed import feed
from digitizer.pipeline.older.stock import stock
from digitizer.pipeline.older.take import take
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
        Stage.OLD_STOCK: stock,
        Stage.OLD_FEED: feed,
        Stage.OLD_TAKE: take,
        Stage.OLD_DECIDE: older_decide.decide,
        Stage.OLD_STORE: older_deliver.store,
        Stage.OLD_COMMIT: older_commitment.commit,
        Stage.OLD_VERIFY: older_readback.verify,
    }
)
