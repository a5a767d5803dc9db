"""Record and accession numbers: their forms, their check digits, and what was misread in them."""

import re

from digitizer.reading.rules import GrammarSettings

__all__ = [
    "Number",
    "check_holds",
    "fitting",
    "issuer_of",
    "leading_number",
    "loose_numbers",
    "other_form",
]

_MEND = str.maketrans("OQDCILZSBG", "0000112586")
_LIKE_DIGITS = frozenset("OQDILZSBG")
_PREFIX = re.compile(r"[A-Z]+")
_TOKEN = re.compile(r"[A-Z0-9][A-Z0-9\-]*")
_FREE = re.compile(r"[\s:#.]*([A-Z]{0,4}-?\d[A-Z0-9]*(?:[\-./][A-Z0-9]+){0,3})(?![A-Z0-9])")
_DATE = re.compile(r"\d{1,4}([\-./])\d{1,2}\1\d{4}|\d{4}-\d{2}-\d{2}|\d{1,2}([./])\d{1,2}\2\d{2}")
_SLASHED = re.compile(r"[\s:#.]*(([A-Z0-9]{1,4})/[A-Z0-9]+)(?![A-Z0-9/\-.])")
_LEAST_DIGITS = 4
_DIGIT_SHARE = 0.6
_LOOKAHEAD = 4
_LONGEST_GROUP = 4
_CAPTIONS = ("NO", "ID")
_BEGINNING, _LONGEST_NUMBER = 2, 9


class Number(str):
    """A number read; ``mended`` tells whether letters were taken for digits."""

    mended: bool

    def __new__(cls, value: str, *, mended: bool = False) -> "Number":
        """Make a number of a text."""
        one = super().__new__(cls, value)
        one.mended = mended
        return one


def fitting(text: str, pattern: str) -> Number | None:
    """Return the text as a number of the pattern, mending letters that stand for digits.

    A letter that begins the number may be its own (``A123456``): it is kept if that fits. Letters
    before it that no digit looks like are a prefix (``RAD1234567``), and no digit is made of them.
    """
    text = text.strip("-")
    if re.fullmatch(pattern, text):
        return Number(text)
    if sum(sign.isdigit() for sign in text) < _DIGIT_SHARE * len(text):
        return None
    prefix = _PREFIX.match(text)
    # The first letter may be the number's own, and a digit misread behind it: RO49424.
    behind = prefix.group()[1:] if prefix else ""
    if not set(behind) <= _LIKE_DIGITS or (behind and prefix and prefix.group() in _CAPTIONS):
        return None
    for candidate in (text[:1] + text[1:].translate(_MEND), text.translate(_MEND)):
        if re.fullmatch(pattern, candidate):
            return Number(candidate, mended=True)
    return None


def leading_number(text: str, pattern: str) -> tuple[Number, str] | None:
    """Return the number that a captioned text begins with, and the text after it.

    Groups of digits set apart (``70 028 12``) are one number if together they fit, and the first
    alone does not. So are the parts about a slash, which is what is left of a worn 7.
    """
    slashed = _SLASHED.match(text)
    if slashed is not None and fitting(slashed.group(2), pattern) is None:
        number = fitting(slashed.group(1).replace("/", "7"), pattern)
        if number is not None and sum(sign.isdigit() for sign in number) > _LEAST_DIGITS:
            return Number(number, mended=True), " " + text[slashed.end() :]
    tokens = list(_TOKEN.finditer(text))[:_LOOKAHEAD]
    for first in (0, 1):
        for last in _stretches(text, tokens, first):
            joined = "".join(one.group() for one in tokens[first : last + 1])
            number = fitting(joined, pattern)
            if number is not None and sum(sign.isdigit() for sign in number) >= _LEAST_DIGITS:
                return number, text[: tokens[first].start()] + " " + text[tokens[last].end() :]
    return None


def _stretches(text: str, tokens: list[re.Match[str]], first: int) -> list[int]:
    """Return where a number that begins at a token may end: there, or as far as groups go."""
    if first >= len(tokens):
        return []
    # A letter with a digit or none is no number by itself: the rest of it follows (M6 40691).
    begun = len(tokens[first].group()) <= _BEGINNING and tokens[first].group()[0].isalpha()
    longest = _LONGEST_NUMBER if begun else _LONGEST_GROUP
    last = first
    while last + 1 < len(tokens):
        between = text[tokens[last].end() : tokens[last + 1].start()]
        if between.strip(" .") or len(tokens[last + 1].group()) > longest:
            break
        last += 1
    return [first, *range(last, first, -1)]


def other_form(text: str) -> tuple[Number, str] | None:
    """Return a captioned number of a form that the site has not set, and the text after it.

    Its caption says what it is: ``12-34-56``, ``1987-079843``, ``RAD1234567``. A date is none.
    """
    found = _FREE.match(text)
    if found is None or _DATE.fullmatch(found.group(1)):
        return None
    word = found.group(1)
    digits = sum(sign.isdigit() for sign in word)
    if digits < _LEAST_DIGITS or digits < _DIGIT_SHARE * sum(map(str.isalnum, word)):
        return None
    return Number(word), text[found.end() :]


def loose_numbers(text: str) -> list[str]:
    """Return the tokens of a text that have the digits of a number."""
    return [
        token
        for token in _TOKEN.findall(text)
        if sum(sign.isdigit() for sign in token) >= _LEAST_DIGITS
    ]


def issuer_of(number: str, grammar: GrammarSettings) -> str:
    """Return the only issuer whose numbers have this form, or nothing."""
    fit = [name for name, form in grammar.issuer_patterns() if re.fullmatch(form, number)]
    return fit[0] if len(fit) == 1 else ""


def check_holds(number: str, check: str) -> bool:
    """Tell whether the last digit checks the others.

    Parameters
    ----------
    number : str
        Letters are passed over.
    check : str
        ``luhn`` (ISO/IEC 7812-1, annex B) or ``mod11`` (weights 2 to 7 from the right).
    """
    digits = [int(sign) for sign in number if sign.isdigit()]
    if len(digits) < 2:
        return False
    *body, last = digits
    if check == "luhn":
        doubled = [
            sum(divmod(2 * one, 10)) if place % 2 == 0 else one
            for place, one in enumerate(reversed(body))
        ]
        return (sum(doubled) + last) % 10 == 0
    total = sum(one * (2 + place % 6) for place, one in enumerate(reversed(body)))
    return (11 - total % 11) % 11 % 10 == last
