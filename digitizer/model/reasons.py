"""The closed list of reason codes, each with a clerk's words and the way out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType

__all__ = ["CODES", "Code", "CodeText", "Hold", "Reason", "reason"]


@unique
class Hold(StrEnum):
    """Where a code puts a film; NOTE codes only inform."""

    REVIEW = "review"
    WAITING = "waiting"
    QUARANTINED = "quarantined"
    NOTE = "note"


@unique
class Code(StrEnum):
    """Every reason a film may be held for, and every complaint about its quality.

    Two of the contract's list are never a film's. Without the broker (``BROKER_UNREACHABLE``) each
    stage is done all the same, for its message is only a wake-up call, and what waits to be begun
    stands where it is: the commands, ``doctor`` and the console say that the broker is away. A file
    that is still written (``SETTLING``) is no scan yet.
    """

    NO_IDENTIFIER = "no_identifier"
    NO_CANDIDATE = "no_candidate"
    NOT_IN_INDEX = "not_in_index"
    AMBIGUOUS = "ambiguous"
    BELOW_THRESHOLD = "below_threshold"
    FILM_SILENT = "film_silent"
    FILM_CONTRADICTS_JACKET = "film_contradicts_jacket"
    SEVERAL_IDENTITIES = "several_identities"
    STUDY_CONFLICT = "study_conflict"
    EXAM_UNKNOWN = "exam_unknown"
    EXAM_AMBIGUOUS = "exam_ambiguous"
    IMPLAUSIBLE_DATE = "implausible_date"
    ORIENTATION_UNKNOWN = "orientation_unknown"
    MARKER_CONTRADICTS = "marker_contradicts"
    BLANK = "blank"
    KIND_UNKNOWN = "kind_unknown"
    SAME_FILM_SUSPECTED = "same_film_suspected"
    RESCAN_PROPOSED = "rescan_proposed"
    EXPECTED_FILMS_DIFFER = "expected_films_differ"
    BUDGET_SPENT = "budget_spent"
    ON_HOLD = "on_hold"
    SHADOW_MODE = "shadow_mode"
    READ_BACK_DIFFERS = "read_back_differs"
    MARKED_MISFILED = "marked_misfiled"
    CORRECTED_BY_PERSON = "corrected_by_person"
    INTERNAL_ERROR = "internal_error"
    EMPTY_FILE = "empty_file"
    TRUNCATED_FILE = "truncated_file"
    CORRUPT_FILE = "corrupt_file"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TOO_LARGE = "too_large"
    PASSWORD_PROTECTED = "password_protected"
    ARCHIVE_UNREACHABLE = "archive_unreachable"
    ARCHIVE_REFUSED = "archive_refused"
    COMMITMENT_LATE = "commitment_late"
    COMMITMENT_FAILED = "commitment_failed"
    DISK_FULL = "disk_full"
    BROKER_UNREACHABLE = "broker_unreachable"
    LEDGER_BUSY = "ledger_busy"
    SETTLING = "settling"
    SEPARATOR = "separator"
    DUPLICATE = "duplicate"
    REJECTED_BY_PERSON = "rejected_by_person"
    NAMES_ANOTHER = "names_another"
    SCANNER_DEPTH = "scanner_depth"
    SCANNER_RESOLUTION = "scanner_resolution"
    FILM_CUT_OFF = "film_cut_off"
    CLIPPED_LOW = "clipped_low"
    CLIPPED_HIGH = "clipped_high"
    BLURRED = "blurred"
    LOW_RESOLUTION = "low_resolution"
    RESOLUTION_UNKNOWN = "resolution_unknown"
    RESOLUTION_DOUBTFUL = "resolution_doubtful"
    SKEW_UNKNOWN = "skew_unknown"
    EDGE_UNSURE = "edge_unsure"
    EIGHT_BIT = "eight_bit"
    NOISY = "noisy"
    STUCK_COLUMNS = "stuck_columns"
    LOST_LINES = "lost_lines"
    BANDING = "banding"
    DUSTY = "dusty"
    DOUBLE_FEED = "double_feed"
    FILM_COVERED = "film_covered"
    HEADER_DIFFERS = "header_differs"
    FOREIGN_ISSUER = "foreign_issuer"
    UID_COLLISION = "uid_collision"
    ARCHIVE_DIFFERS = "archive_differs"
    KIND_REFUSED = "kind_refused"
    COUNT_DIFFERS = "count_differs"
    RULE_REJECTED = "rule_rejected"
    PICTURE_CONTRADICTS = "picture_contradicts"
    SOURCE_UNREACHABLE = "source_unreachable"
    FILE_MISSING = "file_missing"
    NO_INSTANCE = "no_instance"
    ALREADY_THERE = "already_there"
    LINK_OUTSIDE = "link_outside"
    NO_ROW = "no_row"
    ROW_REFUSED = "row_refused"
    FILM_SCAN = "film_scan"


@dataclass(frozen=True, slots=True)
class CodeText:
    """What a code means to a clerk, what to do, and where it puts the film."""

    hold: Hold
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its code, and the words for this very film."""

    code: Code
    text: str


def _table() -> dict[Code, CodeText]:
    review, waiting, bad, note = Hold.REVIEW, Hold.WAITING, Hold.QUARANTINED, Hold.NOTE
    rows: list[tuple[Code, Hold, str, str]] = [
        (
            Code.NO_IDENTIFIER,
            review,
            "Nothing that names a patient could be read.",
            "Look at the film and the jacket and choose the patient.",
        ),
        (
            Code.NO_CANDIDATE,
            review,
            "Nobody in the patient index resembles what was read.",
            "Search the index by hand, or add the patient and retry.",
        ),
        (
            Code.NOT_IN_INDEX,
            review,
            "The patient is probably not in the index.",
            "Add the patient to the index and retry, or choose another.",
        ),
        (
            Code.AMBIGUOUS,
            review,
            "Several patients fit what was read.",
            "Compare the candidates with the film and choose one.",
        ),
        (
            Code.BELOW_THRESHOLD,
            review,
            "The proof is short of what may be filed without a person.",
            "Check the proposed patient and accept or change it.",
        ),
        (
            Code.FILM_SILENT,
            review,
            "The film bears no identifier that could be read.",
            "Look at the jacket's silent films together and file them with one look.",
        ),
        (
            Code.FILM_CONTRADICTS_JACKET,
            review,
            "The film names another patient than its jacket.",
            "Decide whose film it is; it may lie in the wrong jacket.",
        ),
        (
            Code.SEVERAL_IDENTITIES,
            review,
            "More than one patient is named here.",
            "Decide whose it is.",
        ),
        (
            Code.STUDY_CONFLICT,
            review,
            "The archive holds this exam under another patient.",
            "Have the archive's record corrected first, then retry.",
        ),
        (
            Code.EXAM_UNKNOWN,
            review,
            "Which exam the film belongs to could not be told.",
            "Choose the exam, or give its date.",
        ),
        (Code.EXAM_AMBIGUOUS, review, "Several exams fit the film.", "Choose the exam."),
        (
            Code.IMPLAUSIBLE_DATE,
            review,
            "A date on the film cannot be right for this patient.",
            "Check the dates on the film against the patient.",
        ),
        (
            Code.ORIENTATION_UNKNOWN,
            review,
            "Which way up the film belongs could not be told.",
            "Say how the film should be turned or mirrored.",
        ),
        (
            Code.MARKER_CONTRADICTS,
            review,
            "The side marker contradicts the rest of the film.",
            "Check left and right on the film.",
        ),
        (
            Code.BLANK,
            review,
            "The scan shows no film.",
            "Reject it, or scan again if a film was meant.",
        ),
        (
            Code.KIND_UNKNOWN,
            review,
            "It could not be told whether this is a film, label or paper.",
            "Say what it is.",
        ),
        (
            Code.SAME_FILM_SUSPECTED,
            review,
            "This looks like a film that was scanned before.",
            "Compare the two and reject one, or accept both.",
        ),
        (Code.RESCAN_PROPOSED, review, "The scan is too poor to keep.", "Scan the film again."),
        (
            Code.EXPECTED_FILMS_DIFFER,
            review,
            "The number of films is not the number expected.",
            "Count the films in the jacket.",
        ),
        (
            Code.BUDGET_SPENT,
            review,
            "The site's allowance of wrong filings is used up.",
            "A lead must release this class of evidence.",
        ),
        (Code.ON_HOLD, review, "A person put this on hold.", "Release it when it is settled."),
        (
            Code.SHADOW_MODE,
            review,
            "Shadow mode: nothing is filed without a person.",
            "Accept or correct the proposal.",
        ),
        (
            Code.READ_BACK_DIFFERS,
            review,
            "The archive's copy differs from what was sent.",
            "Have the archive examined before anything is released.",
        ),
        (
            Code.MARKED_MISFILED,
            review,
            "A person says that it lies in the wrong jacket.",
            "Choose whose it is by what it bears itself; its jacket says nothing of it any more.",
        ),
        (
            Code.CORRECTED_BY_PERSON,
            review,
            "A person corrected what was read; what is typed files nothing by itself.",
            "Compare the candidates with the film and choose one.",
        ),
        (
            Code.INTERNAL_ERROR,
            review,
            "The software failed on this film.",
            "Retry it; if it fails again, report it with the film's id.",
        ),
        (Code.EMPTY_FILE, bad, "The file is empty.", "Scan again."),
        (Code.TRUNCATED_FILE, bad, "The file ends too early.", "Copy it again, or scan again."),
        (Code.CORRUPT_FILE, bad, "The file is damaged.", "Copy it again, or scan again."),
        (
            Code.UNSUPPORTED_FORMAT,
            bad,
            "The file is not a picture we can read.",
            "Save it as TIFF and deliver it again.",
        ),
        (
            Code.TOO_LARGE,
            bad,
            "The picture is larger than allowed.",
            "Raise the limit in the settings if it is really a film.",
        ),
        (
            Code.PASSWORD_PROTECTED,
            bad,
            "The file is protected by a password.",
            "Deliver it without a password.",
        ),
        (
            Code.ARCHIVE_UNREACHABLE,
            waiting,
            "The archive does not answer.",
            "Nothing to do: it is tried again. Ask the archive's team if it lasts.",
        ),
        (
            Code.ARCHIVE_REFUSED,
            waiting,
            "The archive refused the instance.",
            "Ask the archive's team with the status shown; it is tried again.",
        ),
        (
            Code.COMMITMENT_LATE,
            waiting,
            "The archive has not promised to keep the film yet.",
            "Nothing to do: it is asked again.",
        ),
        (
            Code.COMMITMENT_FAILED,
            waiting,
            "The archive says it does not hold the film.",
            "It is sent again; ask the archive's team if it lasts.",
        ),
        (Code.DISK_FULL, waiting, "The disk is full.", "Free some room; the work goes on."),
        (
            Code.BROKER_UNREACHABLE,
            waiting,
            "The message broker does not answer.",
            "Start the broker; the work goes on.",
        ),
        (
            Code.LEDGER_BUSY,
            waiting,
            "The ledger does not answer.",
            "Nothing to do: it is tried again.",
        ),
        (
            Code.SETTLING,
            waiting,
            "The file is still being written.",
            "Nothing to do: it is taken when it is complete.",
        ),
        (Code.SEPARATOR, note, "A separator sheet: its work is done.", ""),
        (Code.DUPLICATE, note, "The same file was taken in before.", ""),
        (Code.REJECTED_BY_PERSON, note, "A person rejected it.", ""),
        (
            Code.NAMES_ANOTHER,
            note,
            "It names another patient than the one its study was filed to, and was left out.",
            "Have it put right where it comes from, and look the source through once more.",
        ),
        (
            Code.SCANNER_DEPTH,
            bad,
            "The scanner delivered fewer bits than asked for.",
            "Check the scanner's settings and scan again.",
        ),
        (
            Code.SCANNER_RESOLUTION,
            bad,
            "The scanner delivered another resolution than asked for.",
            "Check the scanner's settings and scan again.",
        ),
        (Code.FILM_CUT_OFF, note, "A part of the film lies outside the scan.", "Scan it again."),
        (Code.CLIPPED_LOW, note, "The darkest parts are cut off.", "Scan with more light."),
        (Code.CLIPPED_HIGH, note, "The brightest parts are cut off.", "Scan with less light."),
        (Code.BLURRED, note, "The scan is not sharp.", "Clean the glass and scan again."),
        (
            Code.LOW_RESOLUTION,
            note,
            "The resolution is too low for what the film shows.",
            "Scan chests at 150 dpi, hands and feet at 254 dpi, mammograms at 508 dpi or more.",
        ),
        (
            Code.RESOLUTION_UNKNOWN,
            note,
            "The file does not tell its resolution.",
            "Set the resolution in the scanner's profile.",
        ),
        (
            Code.RESOLUTION_DOUBTFUL,
            note,
            "The resolution told fits no film size.",
            "Check the resolution in the scanner's profile.",
        ),
        (Code.SKEW_UNKNOWN, note, "How the film is tilted could not be told.", ""),
        (
            Code.EDGE_UNSURE,
            note,
            "Where the film ends could not be told: all that may be film is kept.",
            "Set the corners by hand if more than the film shows.",
        ),
        (Code.EIGHT_BIT, note, "Fewer than 1,024 grey levels were delivered.", "Scan at 16 bit."),
        (Code.NOISY, note, "The scan is grainy.", "Let the scanner warm up and scan again."),
        (
            Code.STUCK_COLUMNS,
            note,
            "Stripes of the scanner run along the film.",
            "Clean the rollers and the sensor's glass.",
        ),
        (
            Code.LOST_LINES,
            note,
            "Lines of the scan are missing or broken.",
            "Check the cable and scan again.",
        ),
        (
            Code.BANDING,
            note,
            "The brightness swings from line to line.",
            "Let the lamp warm up, check the transport and scan again.",
        ),
        (Code.DUSTY, note, "Dust lies all over the film.", "Wipe film and glass and scan again."),
        (
            Code.DOUBLE_FEED,
            note,
            "Two films lie in one outline, side by side or over each other; or a film is folded.",
            "Lay films apart, unfold a folded one, and scan again.",
        ),
        (
            Code.FILM_COVERED,
            note,
            "A label or a fold hides a part of the film.",
            "Take the label off or unfold the film, and scan it again.",
        ),
        (
            Code.HEADER_DIFFERS,
            review,
            "The header and the index do not agree about the patient of this number.",
            "Compare the header with the index and choose the patient.",
        ),
        (
            Code.FOREIGN_ISSUER,
            review,
            "The record number was issued elsewhere.",
            "Find the patient by name and birth date, or reject the study.",
        ),
        (
            Code.UID_COLLISION,
            review,
            "Another instance with other content bears the same UID.",
            "Look at both; reject one, or have this one sent under a new UID.",
        ),
        (
            Code.ARCHIVE_DIFFERS,
            review,
            "The archive holds an instance of this UID with other content.",
            "Look at both; reject this one, or have it sent under a new UID.",
        ),
        (
            Code.KIND_REFUSED,
            review,
            "The archive does not take this kind of instance in this encoding.",
            "Have the archive's team allow it, then retry; or reject it.",
        ),
        (
            Code.COUNT_DIFFERS,
            review,
            "The old archive gave another number of instances than it says it has.",
            "Retry; if it stays so, accept what came or ask the old archive's team.",
        ),
        (
            Code.RULE_REJECTED,
            review,
            "A rule of the site refuses this study.",
            "Reject it, or change the rule and retry.",
        ),
        (
            Code.PICTURE_CONTRADICTS,
            review,
            "Writing in the picture names another patient than the header.",
            "Look at the picture and choose the patient.",
        ),
        (
            Code.SOURCE_UNREACHABLE,
            waiting,
            "The old archive does not answer.",
            "Nothing to do: it is tried again. Look after the old archive if it lasts.",
        ),
        (
            Code.FILE_MISSING,
            note,
            "The disc's own list, or the index file, names a file that is not there.",
            "",
        ),
        (Code.NO_INSTANCE, note, "The file is no DICOM instance.", ""),
        (
            Code.LINK_OUTSIDE,
            note,
            "A link leads out of the source, or nowhere; links are not followed.",
            "Bring what it leads to over as a source of its own, if it belongs to this one.",
        ),
        (Code.ALREADY_THERE, note, "The archive holds it already, with the same content.", ""),
        (Code.NO_ROW, note, "No row of the index file names this picture.", ""),
        (Code.ROW_REFUSED, note, "A row of the index file cannot be taken.", ""),
        (Code.FILM_SCAN, note, "The scan of a film: it is read and decided like any other.", ""),
    ]
    return {code: CodeText(hold, text, remedy) for code, hold, text, remedy in rows}


CODES: Mapping[Code, CodeText] = MappingProxyType(_table())


def reason(code: Code, text: str | None = None) -> Reason:
    """Make a reason with the code's own words, or with better ones for this film."""
    return Reason(code, text or CODES[code].text)
