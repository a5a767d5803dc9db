"""Fields and candidates in, a decision out. See :mod:`digitizer.identity.decide` for the rules."""

from digitizer.identity.apart import told_apart
from digitizer.identity.blocking import keys_of_exam, keys_of_patient, keys_of_testimony, names_of
from digitizer.identity.classes import CLASSES, UNCAPPED, Caps, EvidenceClass, ExamEvidence
from digitizer.identity.decide import PaperCase, decide_jacket, decide_paper
from digitizer.identity.estimation import Estimate, estimate
from digitizer.identity.evidence import Evidence, gather
from digitizer.identity.exams import ExamRates
from digitizer.identity.headers import (
    decide_header,
    exam_of_header,
    names,
    person_of,
    testimony_of_header,
)
from digitizer.identity.intervals import interval
from digitizer.identity.match import match_lines
from digitizer.identity.objections import apart as is_apart
from digitizer.identity.settings import PolicySettings
from digitizer.identity.silent import (
    SilentFilms,
    day_of,
    exam_of,
    label_denies,
    place_silent,
    speaks_against,
)
from digitizer.identity.weights import BUILT_IN, Shifts, Weights, shifts_of

__all__ = [
    "BUILT_IN",
    "CLASSES",
    "UNCAPPED",
    "Caps",
    "Estimate",
    "Evidence",
    "EvidenceClass",
    "ExamEvidence",
    "ExamRates",
    "PaperCase",
    "PolicySettings",
    "Shifts",
    "SilentFilms",
    "Weights",
    "day_of",
    "decide_header",
    "decide_jacket",
    "decide_paper",
    "estimate",
    "exam_of",
    "exam_of_header",
    "gather",
    "interval",
    "is_apart",
    "keys_of_exam",
    "keys_of_patient",
    "keys_of_testimony",
    "label_denies",
    "match_lines",
    "names",
    "names_of",
    "person_of",
    "place_silent",
    "shifts_of",
    "speaks_against",
    "testimony_of_header",
    "told_apart",
]
