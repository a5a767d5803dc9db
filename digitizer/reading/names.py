"""Names as clerks write them, in their parts."""

import re

from digitizer.model.identity import PersonName

__all__ = ["looks_like_name", "parse_name"]

_SUFFIXES = frozenset({"JR", "SR", "II", "III", "IV"})
_PARTICLES = frozenset("DE LA DEL DA DI DOS VAN VON DER DEN TER MC MAC ST SAN LE EL AL BIN".split())
_SHAPE = re.compile(r"[A-Z][A-Z'\-. ]*(?:[,^][A-Z'\-.^, ]*)?")


def looks_like_name(text: str) -> bool:
    """Tell whether a text has the shape of a person's name: letters, with a comma or caret."""
    letters = sum(sign.isalpha() for sign in text)
    return bool(_SHAPE.fullmatch(text)) and letters >= 4 and ("," in text or "^" in text)


def parse_name(text: str) -> PersonName | None:
    """Read ``DOE, JOHN A``, ``DOE^JOHN^A``, ``DOE JR, JOHN`` or ``JOHN A DOE JR``.

    Returns
    -------
    PersonName or None
        None when there are not two parts.
    """
    text = re.sub(r"[^A-Z'\-,^ ]", " ", text.upper()).strip(" ,^-'")
    if "^" in text:
        parts = [part.strip(" ,") for part in text.split("^")]
        family, given, middle, _, suffix = (parts + [""] * 5)[:5]
        if not suffix and len(parts) == 4:
            suffix = parts[3]
        return _built(family.split(), [*given.split(), *middle.split()], suffix)
    if "," in text:
        family, _, rest = text.partition(",")
        return _built(family.split(), rest.replace(",", " ").split(), "")
    words = text.split()
    suffix = words.pop() if words and words[-1] in _SUFFIXES else ""
    if len(words) < 2:
        return None
    at = len(words) - 1
    while at > 1 and words[at - 1] in _PARTICLES:
        at -= 1
    return _built(words[at:], words[:at], suffix)


def _built(family: list[str], given: list[str], suffix: str) -> PersonName | None:
    for words in (family, given):
        for word in list(words):
            if word in _SUFFIXES and not suffix:
                suffix = word
                words.remove(word)
    if not family or not given:
        return None
    first = given[0]
    if first == "BABY" and len(given) > 1:
        first, given = " ".join(given[:2]), given[1:]
    if len("".join(family)) < 2 or len(first) < 1:
        return None
    return PersonName(
        family=" ".join(family).strip(".'-"),
        given=first.strip(".'-"),
        middle=" ".join(given[1:]).strip(".'-"),
        suffix=suffix,
    )
