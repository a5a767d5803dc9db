"""A made-up old archive with known truth: what it holds, and what is wrong with it on purpose."""

from digitizer.rehearsal.old.archive import MadeArchive, make_archive
from digitizer.rehearsal.old.bad_line import BadLine

__all__ = ["BadLine", "MadeArchive", "make_archive"]
