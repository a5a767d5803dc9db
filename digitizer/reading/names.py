"""Names as clerks write them, in their parts."""

import re
from functools import lru_cache

from digitizer.model.identity import PersonName

__all__ = ["carets", "looks_like_name", "name_signs", "parse_name", "untitled"]

_SUFFIXES = frozenset({"JR", "SR", "II", "III", "IV"})
_PARTICLES = frozenset(
    {"DE", "LA", "LAS", "LOS", "DEL", "DELA", "DI", "DA", "DOS", "DU", "VAN", "VON", "DER", "DEN"}
    | {
        "TER",
        "TEN",
        "MC",
        "MAC",
        "ST",
        "SAN",
        "SANTA",
        "LE",
        "EL",
        "AL",
        "BIN",
        "BEN",
        "IBN",
        "ABU",
    }
    | {"O"}
)
_TITLES = frozenset(["MR", "MRS", "MS", "MISS", "DR", "PROF", "SIR", "REV"])
_BABY = frozenset({"BOY", "GIRL", "MALE", "FEMALE", "INFANT"})
_SHAPE = re.compile(r"[A-Z][A-Z'\-. ]*[,^][A-Z'\-.^, ]*")
_FOLDED = str.maketrans(
    "ÀÁÂÃÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÙÚÛÝŠŽ", "AAAAACEEEEIIIINOOOOUUUYSZ"
)  # fmt: skip
_SPELT_OUT = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE", "Ø": "O", "Æ": "AE", "ß": "SS"})
_LONGEST = 64
_TITLED = re.compile(rf"^(?:{'|'.join(sorted(_TITLES))})\b[.:]?\s+(?=[A-Z'\-]{{2,}}[ ,^])")
_LEAST_PART = 3
_THIRD = re.compile(r"(?<= )[IL]{3}$|(?<=\^)[IL]{3}$|(?<= )[IL]{3}(?=,)")
"""``III`` is often read ``ILL`` or ``LLI``; no name is spelt so at the end."""


@lru_cache(maxsize=5_000)
def name_signs(text: str) -> str:
    """Return an upper-case text with the signs of names put right.

    A caret is often read as a quotation mark or an asterisk; an apostrophe stands only after O, D
    or L, or inside a name; accents are folded, umlauts written out.
    """
    text = text.translate(_FOLDED).translate(_SPELT_OUT)
    text = re.sub(r"(?<=[A-Z])\s?[\"“”*~«»°™]+\s?(?=[A-Z])", "^", text)
    text = re.sub(r"(?<=[A-Z]{3})\s?['‘’`´]\s?(?=[A-Z]{3})", "^", text)
    text = re.sub(r"(?<=[A-Z]{3})['‘’`´](?=[A-Z](?:$|\^))", "^", text)
    text = re.sub(r"[‘’`´]", "'", text)
    return re.sub(r"^([A-Z'\-]{3,}(?: [A-Z]{3,})?)[.;:] (?=[A-Z]{2,})", r"\1, ", text)


def untitled(text: str) -> str:
    """Return a text without the title that it begins with (``MRS. DOE, JANE``)."""
    return _TITLED.sub("", text.lstrip())


def carets(text: str, given_names: frozenset[str]) -> str:
    """Return a name with the carets put back that an engine took for the letter A, or lost.

    Only where known given names tell it: ``KHANADONNAAC`` is ``KHAN^DONNA^C``, ``KAUR^MARYAJ`` is
    ``KAUR^MARY^J``, ``FLORESMARIA^M`` is ``FLORES^MARIA^M``.
    """
    family, caret, rest = text.partition("^")
    if caret and re.fullmatch(r"[A-Z]{4,}A[A-Z]", rest) and rest[:-2] in given_names:
        return f"{family}^{rest[:-2]}^{rest[-1]}"
    if caret and len(rest) > 1:
        return text
    *above, last = family.split() or [""]
    if caret and above and last in given_names:
        return f"{' '.join(above)}^{last}^{rest}"
    if "," in text or " " in family.strip() or family in given_names:
        return text
    ends = family if caret else re.sub(r"A[A-Z]$", "", family)
    for at in range(_LEAST_PART, len(ends) - _LEAST_PART):
        if ends[at:] in given_names:
            joined = ends[at - 1] == "A" and not caret and at > _LEAST_PART
            if not (joined or caret):
                continue
            middle = rest or family[len(ends) + 1 :]
            last = ends[: at - 1] if joined else ends[:at]
            return "^".join(part for part in (last, ends[at:], middle) if part)
    return text


def looks_like_name(text: str) -> bool:
    """Tell whether a text has the shape of a person's name: letters, with a comma or caret."""
    letters = sum(sign.isalpha() for sign in text)
    return len(text) <= _LONGEST and bool(_SHAPE.fullmatch(text)) and letters >= 4


def parse_name(text: str, given_names: frozenset[str] = frozenset()) -> PersonName | None:
    """Read ``DOE, JOHN A``, ``DOE^JOHN^A``, ``DOE JR, JOHN`` or ``JOHN A DOE JR``.

    Parameters
    ----------
    text : str
        Any case.
    given_names : frozenset of str
        Where neither comma nor caret tells the order, ``DOE JOHN`` is told by these.

    Returns
    -------
    PersonName or None
        Upper case, no punctuation at the ends; None when there are not two parts.
    """
    text = name_signs(untitled(text[:_LONGEST].upper()))
    text = re.sub(r"[^A-Z'\-,^ ]", " ", text).strip(" ,^-'")
    text = _THIRD.sub("III", text)
    if "^" in text:
        parts = [part.strip(" ,") for part in text.split("^")]
        family, given, middle, prefix, suffix = (parts + [""] * 5)[:5]
        if not suffix and prefix in _SUFFIXES:
            suffix = prefix
        return _built(family.split(), [*given.split(), *middle.split()], suffix)
    if "," in text:
        family, _, rest = text.partition(",")
        return _built(family.split(), rest.replace(",", " ").split(), "")
    return _bare([word for word in text.split() if word not in _TITLES], given_names)


def _bare(words: list[str], given_names: frozenset[str]) -> PersonName | None:
    """Read words without comma or caret: given names first, unless only the last is one."""
    suffix = words.pop() if len(words) > 2 and words[-1] in _SUFFIXES else ""
    if len(words) < 2:
        return None
    if words[0] == "BABY" and words[1] in _BABY and len(words) > 2:
        return _built(words[2:], words[:2], suffix)
    if len(words[-1]) == 1 and len(words) > 2:
        # No family name has one letter: what ends in an initial begins with the family name.
        return _built(words[:-2], words[-2:], suffix)
    if _is_given(words[-1], given_names) and not _is_given(words[0], given_names):
        return _built(words[:-1], words[-1:], suffix)
    at = len(words) - 1
    while at > 1 and words[at - 1] in _PARTICLES:
        at -= 1
    return _built(words[at:], words[:at], suffix)


def _is_given(word: str, given_names: frozenset[str]) -> bool:
    """Tell whether a word is a given name, or two joined by a hyphen of which one is."""
    return any(part in given_names for part in (word, *word.split("-")))


def _built(family: list[str], given: list[str], suffix: str) -> PersonName | None:
    for words in (family, given):
        for word in list(words):
            bare = word.strip(".'-")
            if bare in _SUFFIXES and len(words) > 1:
                suffix = suffix or bare
                words.remove(word)
            elif bare in _TITLES and words is given and len(words) > 1:
                words.remove(word)
    if not family or not given:
        return None
    first = given[0]
    if first == "BABY" and len(given) > 1:
        first, given = " ".join(given[:2]), given[1:]
    last, first = " ".join(family).strip(" .'-"), first.strip(" .'-")
    if sum(sign.isalpha() for sign in last) < 2 or not first:
        return None
    middle = " ".join(given[1:]).strip(" .'-")
    return PersonName(family=last, given=first, middle=middle, suffix=suffix.strip(" .'-"))
