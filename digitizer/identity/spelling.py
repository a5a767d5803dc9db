"""How names and numbers are spelt, apart from what is written now so, now otherwise."""

import re
import unicodedata
from functools import lru_cache

__all__ = ["MENDED", "plain", "words_of"]

MENDED = str.maketrans("OQDILZSBG", "000112586")
"""Letters that engines read for digits."""

_LETTERED = str.maketrans("015824", "OISBZA")
_SPELT_OUT = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE", "Ø": "O", "Æ": "AE", "Å": "A"})
_WORD = re.compile(r"[A-Z0-9']+")


@lru_cache(maxsize=50_000)
def plain(text: str) -> str:
    """Return a name or number in capital letters and digits alone, accents folded."""
    text = text.upper()
    if text.isascii():
        return "".join(sign for sign in text if sign.isalnum())
    folded = unicodedata.normalize("NFKD", text.translate(_SPELT_OUT))
    return "".join(sign for sign in folded if sign.isalnum())


@lru_cache(maxsize=50_000)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text that hold more letters than digits.

    Digits between letters are letters misread; apostrophes and accents are left out.
    """
    text = text.upper()
    if not text.isascii():
        folded = unicodedata.normalize("NFKD", text.translate(_SPELT_OUT))
        text = "".join(sign for sign in folded if not unicodedata.combining(sign))
    found = []
    for word in _WORD.findall(text.replace("\u2019", "'")):
        letters = sum(sign.isalpha() for sign in word)
        digits = sum(sign.isdigit() for sign in word)
        if letters > digits:
            found.append(word.translate(_LETTERED).replace("'", ""))
    return tuple(word for word in found if word)
