"""What engines make of lines of text: an invention of its own that knows nothing of a matcher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

__all__ = ["LEVELS", "Wear", "misread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """How badly text is read.

    Attributes
    ----------
    sign : float
        Chance of a character to be read wrong; a seven-digit number is then read right in
        (1 - sign) to the seventh.
    dropped, merged, cut : float
        Chance of a line to be missed, to be joined to the next, to end early.
    space : float
        Chance of a space to be lost.
    junk : float
        Chance of a line that is none.
    """

    sign: float
    dropped: float
    merged: float
    cut: float
    space: float
    junk: float


LEVELS: Mapping[str, Wear] = {
    "fresh": Wear(sign=0.002, dropped=0.003, merged=0.01, cut=0.002, space=0.01, junk=0.02),
    "worn": Wear(sign=0.010, dropped=0.015, merged=0.03, cut=0.01, space=0.03, junk=0.06),
    "bad": Wear(sign=0.040, dropped=0.06, merged=0.06, cut=0.03, space=0.06, junk=0.15),
}
"""On labels of moderate wear an engine reads 97.5 numbers in 100 right, on film blocks 44 to 48:
between them lie *worn* (93) and *bad* (75)."""

_LIKE = {
    "0": "OODQ8", "1": "IIl74", "2": "ZZ7", "3": "8859", "4": "419A", "5": "SS638", "6": "GGb80",
    "7": "1172", "8": "BB3690", "9": "gg48", "A": "4RH", "B": "8E3R", "C": "GOE(", "D": "OO0",
    "E": "FBC", "F": "EPT", "G": "6C0", "H": "NMK", "I": "11lT", "J": "1IU", "K": "XH",
    "L": "I1", "M": "NH", "N": "MHW", "O": "00DQ", "P": "FR", "Q": "O0", "R": "KPB", "S": "558",
    "T": "I7Y", "U": "VO", "V": "UY", "W": "VN", "X": "K", "Y": "VT", "Z": "22", "/": "71I",
    "-": "_.", ".": ",-", ",": ".", ":": ";.",
}  # fmt: skip
_ANY = "ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789"
_JUNK = ("|", "- -", "l.", "___", "R", "L", "4", "::", "C0PY", "II", "O", "///", "7")


def misread(lines: Sequence[str], wear: Wear, rng: Random) -> list[str]:
    """Return the lines as an engine might have read them.

    Parameters
    ----------
    lines : sequence of str
    wear : Wear
    rng : random.Random
    """
    kept = [line for line in lines if rng.random() >= wear.dropped]
    out: list[str] = []
    for line in kept:
        read = _signs(line, wear, rng)
        if rng.random() < wear.cut and len(read) > 4:
            at = rng.randrange(2, len(read))
            read = read[:at] if rng.random() < 0.6 else read[at:]
        if out and rng.random() < wear.merged:
            out[-1] += rng.choice(("", " ", "  ")) + read
        elif read.strip():
            out.append(read)
    if rng.random() < wear.junk:
        out.insert(rng.randrange(len(out) + 1), rng.choice(_JUNK))
    return out


def _signs(line: str, wear: Wear, rng: Random) -> str:
    out: list[str] = []
    for sign in line:
        if sign == " ":
            if rng.random() >= wear.space:
                out.append(sign)
            continue
        if rng.random() >= wear.sign:
            out.append(sign)
            continue
        how = rng.random()
        if how < 0.72:
            out.append(rng.choice(_LIKE.get(sign.upper(), _ANY)))
        elif how < 0.80:
            out.append(rng.choice(_ANY))
        elif how < 0.92:
            continue
        else:
            out += [sign, rng.choice((sign, *_LIKE.get(sign.upper(), "I")))]
    return "".join(out)
