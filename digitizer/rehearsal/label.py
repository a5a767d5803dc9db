"""Scans of jacket labels: typed, printed, stamped, written; stuck on worn card."""

from copy import deepcopy
from dataclasses import dataclass, field

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from digitizer.rehearsal.block import HOSPITALS
from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.legibility import Printed, contrasts_of_line
from digitizer.rehearsal.people import Person
from digitizer.rehearsal.typography import HANDS, handwritten, line
from digitizer.rehearsal.wording import caption, exam_line, written_date, written_name

__all__ = [
    "Label",
    "barcode_mask",
    "blend",
    "card",
    "draw_label",
    "draw_label_over",
    "draw_worn_label",
    "wear_down",
    "write_label",
]

Picture = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Label:
    """What a label says.

    Attributes
    ----------
    style : str
        ``typed``, ``printed``, ``stamped`` or ``written``.
    heading : str
        The hospital, or nothing.
    lines : tuple of str
        The patient's lines.
    log : tuple of str
        Exams, one a line.
    barcode : str or None
        Content of a Code 128.
    fields : dict
        What the label bears, in the contract's one form.
    written : dict
        As what a line bears a field.
    """

    style: str
    heading: str
    lines: tuple[str, ...]
    log: tuple[str, ...]
    barcode: str | None
    fields: dict[str, str]
    written: dict[str, str] = field(default_factory=dict)


def write_label(
    rng: np.random.Generator, person: Person, exams: list[Exam], barcode: str | None, wear: float
) -> Label:
    """Compose a jacket's label; worn libraries are written by hand more often."""
    hand = 0.04 + 0.18 * wear
    style = str(
        rng.choice(
            ["typed", "printed", "stamped", "written"],
            p=[0.45 - hand / 2, 0.35 - hand / 2, 0.2, hand],
        )
    )
    name = caption(rng, "name")
    named = written_name(rng, person)
    name += named
    number = caption(rng, "patient_id", chance=0.75) + person.patient_id
    birth = caption(rng, "birth_date", chance=0.85)
    born = written_date(rng, person.birth, person.issuer, full=True)
    birth += born
    fields = {
        "family_name": person.family,
        "given_name": person.given,
        "patient_id": person.patient_id,
        "birth_date": person.birth.isoformat(),
    }
    if person.suffix:
        fields["name_suffix"] = person.suffix
    sex = ""
    if rng.random() < 0.5:
        sex = caption(rng, "sex", chance=0.8) + person.sex
        fields["sex"] = person.sex
    layout = int(rng.integers(4))
    texts = {
        0: [name, number, f"{birth}   {sex}".rstrip()],
        1: [f"{name}    {number}", birth, sex],
        2: [number, name, birth, sex],
        3: [name, f"{number}    {birth}", sex],
    }[layout]
    log = tuple(exam_line(rng, exam) for exam in exams) if rng.random() < 0.6 else ()
    heading = HOSPITALS[person.issuer] if rng.random() < 0.6 else ""
    written = {
        "family_name": named,
        "given_name": named,
        "patient_id": person.patient_id,
        "birth_date": born,
    }
    lines = tuple(text for text in texts if text)
    return Label(style, heading, lines, log, barcode, fields, written)


@dataclass(frozen=True, slots=True, eq=False)
class _Ink:
    """A line as ink, and how it was printed; a line written by hand was not."""

    mask: Picture
    printed: Printed | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """A label drawn, with what it takes to find its lines in the scan again.

    ``places`` are (row, column) of the lines' masks on the sticker.
    """

    picture: Picture
    places: list[tuple[int, int]]
    moved: NDArray[np.float64]
    blur_px: float
    noise: float


def card(
    rng: np.random.Generator, shape: tuple[int, int], colour: tuple[float, float, float]
) -> Picture:
    """Return card or paper, (rows, columns, 3) RGB 0 to 1, with fibres and clouds."""
    rows, columns = shape
    fine = rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.018)
    clouds = rng.standard_normal((12, 16)).astype(np.float32) * np.float32(0.018)
    fine = cv2.GaussianBlur(fine, (0, 0), 0.8) * np.float32(1.6)
    fine += cv2.resize(clouds, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.array(colour, np.float32) * (1 + fine[..., None]), dtype=np.float32)


def blend(
    picture: Picture,
    mask: NDArray[np.float32],
    at: tuple[int, int],
    colour: tuple[float, float, float],
    strength: float = 1.0,
) -> None:
    """Lay ink of a colour on the picture at (row, column), clipped to the picture."""
    top, left = at
    rows, columns = picture.shape[:2]
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(rows, top + mask.shape[0]), min(columns, left + mask.shape[1])
    if y1 <= y0 or x1 <= x0:
        return
    part = mask[y0 - top : y1 - top, x0 - left : x1 - left, None] * np.float32(strength)
    place = picture[y0:y1, x0:x1]
    place += part * (np.array(colour, np.float32) - place)


def barcode_mask(content: str, height_px: int, module_px: int) -> NDArray[np.float32]:
    """Draw a Code 128 as ink, with its quiet zone left and right."""
    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.Code128)
    drawn = zxingcpp.write_barcode_to_image(code)
    bars = (np.array(drawn)[0] < 128).astype(np.float32)
    used = np.flatnonzero(bars)
    bars = bars[used[0] : used[-1] + 1]
    wide = np.pad(np.repeat(bars, module_px), 10 * module_px)
    return np.tile(wide, (height_px, 1))


_INKS: dict[str, tuple[float, float, float]] = {
    "typed": (0.13, 0.12, 0.14),
    "printed": (0.08, 0.08, 0.09),
    "stamped": (0.22, 0.16, 0.42),
    "written": (0.12, 0.16, 0.42),
}
_CARDS = ((0.80, 0.66, 0.45), (0.86, 0.76, 0.56), (0.74, 0.60, 0.42), (0.72, 0.76, 0.70))
"""Colours of jackets: manila, buff, kraft, grey-green."""
_PAPERS = ((0.95, 0.94, 0.90), (0.93, 0.90, 0.80), (0.90, 0.93, 0.95))
_FACES = {
    "typed": ("typewriter", "typewriter", "mono"),
    "printed": ("printer", "sans-bold", "sans", "printer-bold"),
    "stamped": ("narrow", "mono-bold", "sans-bold"),
}


def _ink_lines(
    rng: np.random.Generator, label: Label, texts: list[str], cap: float, wear: float
) -> list[_Ink]:
    if label.style == "written":
        face, blunt = str(rng.choice(HANDS)), bool(rng.random() < 0.35)
        drawn = [handwritten(text, cap * 1.3, rng, face=face, blunt=blunt) for text in texts]
        return [_Ink(one) for one in drawn]
    face = str(rng.choice(_FACES[label.style]))
    out = []
    for text in texts:
        ink = line(text, face, cap)
        worn = wear * {"typed": 0.45, "printed": 0.35, "stamped": 0.55}[label.style]
        patches = rng.standard_normal(ink.shape, dtype=np.float32)
        patches = cv2.GaussianBlur(patches, (0, 0), max(0.8, cap * 0.12)) * np.float32(cap * 0.35)
        left = np.clip(1 - worn * (np.float32(0.55) + patches), 0.05, 1)
        out.append(_Ink(ink * left, Printed(text, face, cap)))
    return out


def draw_label(
    rng: np.random.Generator, label: Label, *, pixels_per_mm: float, wear: float
) -> NDArray[np.uint8]:
    """Draw the scan of a label.

    Returns
    -------
    uint8, shape (rows, columns, 3)
        RGB.
    """
    picture, _, _ = _drawn(rng, label, pixels_per_mm, wear)
    return _scanned(picture.picture)


def draw_worn_label(
    rng: np.random.Generator, label: Label, *, pixels_per_mm: float, wear: float
) -> tuple[NDArray[np.uint8], dict[str, float]]:
    """Draw the scan of a label, and tell what a person can still read of its fields.

    Returns
    -------
    uint8, shape (rows, columns, 3)
        RGB.
    dict
        For each printed field the contrast of its worst sign
        (:mod:`digitizer.rehearsal.legibility`); nothing for handwriting.
    """
    # The same label once more without its lines: what the two scans differ in is ink.
    twin = deepcopy(rng)
    drawn, inks, texts = _drawn(rng, label, pixels_per_mm, wear)
    bare, _, _ = _drawn(twin, label, pixels_per_mm, wear, bare=True)
    contrast = np.asarray((bare.picture - drawn.picture).mean(axis=2), np.float32)
    # Paper fades towards its own middle tone, which is another without ink.
    contrast -= np.median(contrast)
    seen: dict[str, float] = {}
    for name, written in label.written.items():
        number = next(at for at, text in enumerate(texts) if written in text)
        one = inks[number]
        if one.printed is None:
            continue
        signs = _contrasts(one, drawn, drawn.places[number], contrast)
        first = texts[number].index(written)
        seen[name] = min(told for at, told in signs.items() if first <= at < first + len(written))
    return _scanned(drawn.picture), seen


def _drawn(
    rng: np.random.Generator, label: Label, pitch: float, wear: float, *, bare: bool = False
) -> tuple[_Drawn, list[_Ink], list[str]]:
    """Draw a label as scanned, before its values are rounded; ``bare``: without its lines."""
    cap = float(rng.uniform(2.4, 3.4)) * pitch
    texts = [label.heading, *label.lines] if label.heading else list(label.lines)
    inks = _ink_lines(rng, label, texts, cap, wear)
    inks += _ink_lines(rng, label, list(label.log), cap * 0.85, wear)
    masks = [np.zeros_like(one.mask) if bare else one.mask for one in inks]
    paper = _PAPERS[int(rng.integers(len(_PAPERS)))]
    sticker, places = _sticker(rng, label, masks, cap, paper)
    colour = _CARDS[int(rng.integers(len(_CARDS)))]
    picture, stuck = _on_card(rng, sticker, pitch, colour, label.barcode)
    picture, skewed, blur = _worn(rng, picture, pitch, wear)
    moved = np.vstack([skewed, [0, 0, 1]]) @ np.vstack([stuck, [0, 0, 1]])
    return _Drawn(picture, places, moved, blur, _noise(wear)), inks, texts


def draw_label_over(
    rng: np.random.Generator, older: Label, newer: Label, *, pixels_per_mm: float, wear: float
) -> NDArray[np.uint8]:
    """Draw the scan of a label that was stuck over part of an older one.

    Between a quarter and three quarters of the older one stay in sight, above or below it.

    Returns
    -------
    uint8, shape (rows, columns, 3)
        RGB.
    """
    stickers = []
    for label in (older, newer):
        cap = float(rng.uniform(2.4, 3.4)) * pixels_per_mm
        texts = [label.heading, *label.lines] if label.heading else list(label.lines)
        inks = _ink_lines(rng, label, texts, cap, wear)
        inks += _ink_lines(rng, label, list(label.log), cap * 0.85, wear)
        paper = _PAPERS[int(rng.integers(len(_PAPERS)))]
        masks = [one.mask for one in inks]
        stickers.append(_sticker(rng, label, masks, cap, paper)[0])
    below, above = stickers
    in_sight = round(float(rng.uniform(0.25, 0.75)) * below.shape[0])
    # The upper one's top edge on the lower one, or its bottom edge.
    top = in_sight if rng.random() < 0.5 else below.shape[0] - in_sight - above.shape[0]
    left = round(float(rng.uniform(-6, 6)) * pixels_per_mm)
    room = round(8 * pixels_per_mm)
    places = (room + max(0, -top), room + max(0, -left)), (room + max(0, top), room + max(0, left))
    rows = max(at[0] + one.shape[0] for at, one in zip(places, stickers, strict=True)) + room
    columns = max(at[1] + one.shape[1] for at, one in zip(places, stickers, strict=True)) + room
    picture = card(rng, (rows, columns), _CARDS[int(rng.integers(len(_CARDS)))])
    for at, sticker in zip(places, stickers, strict=True):
        _stick(rng, picture, sticker, at)
    return wear_down(rng, picture, pixels_per_mm, wear)


def _contrasts(
    ink: _Ink, drawn: _Drawn, place: tuple[int, int], contrast: Picture
) -> dict[int, float]:
    """Tell how well each sign of a line is seen by the contrast of all ink in the scan."""
    assert ink.printed is not None
    onto = np.array([[1.0, 0, place[1]], [0, 1, place[0]], [0, 0, 1]])
    here = cv2.warpAffine(
        contrast,
        (drawn.moved @ onto)[:2],
        ink.mask.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    # Three times between pixels, each of which blurs by the variance of a linear interpolation.
    blur = float(np.hypot(drawn.blur_px, np.sqrt(3 * _INTERPOLATED)))
    # The noise of the three channels is independent.
    noise = drawn.noise / np.sqrt(3)
    return contrasts_of_line(ink.printed, np.asarray(here, np.float32), blur_px=blur, noise=noise)


_INTERPOLATED = 1 / 6
"""Mean variance, in square pixels, of the two weights of a linear interpolation."""


def _sticker(
    rng: np.random.Generator,
    label: Label,
    inks: list[NDArray[np.float32]],
    cap: float,
    colour: tuple[float, float, float],
) -> tuple[Picture, list[tuple[int, int]]]:
    """Print lines and barcode on paper; return it, and where each line begins (row, column)."""
    bar = (
        barcode_mask(label.barcode, round(cap * 3.2), max(2, round(cap / 9)))
        if (label.barcode is not None)
        else None
    )
    step = cap * float(rng.uniform(1.8, 2.4))
    if label.style == "written":
        step *= 1.45
    width = max([one.shape[1] for one in inks] + ([bar.shape[1]] if bar is not None else []))
    rows = round(step * (len(inks) + 1) + (cap * 5.2 if bar is not None else 0))
    sheet = card(rng, (rows, round(width + cap * 3)), colour)
    ink = _INKS[label.style]
    top = cap * 0.9
    indent = round(cap * 1.3)
    if rng.random() < 0.25 and label.style != "stamped":
        rule = tuple(min(1.0, one * 0.7) for one in colour)
        for number in range(len(inks)):
            at = round(top + (number + 1) * step - step * 0.3)
            sheet[at : at + max(1, round(cap / 14)), indent:-indent] = rule
    places = []
    for one in inks:
        drift = int(rng.normal(0, cap * 0.06)), int(rng.normal(0, cap * 0.15))
        places.append((round(top) + drift[0], indent + drift[1]))
        blend(sheet, one, places[-1], ink, 0.95)
        top += step
    if bar is not None:
        top += cap * (0.9 if label.style == "written" else 0.1)
        blend(sheet, bar, (round(top), indent), (0.08, 0.08, 0.09), 0.95)
    if rng.random() < 0.3:
        cv2.rectangle(sheet, (1, 1), (sheet.shape[1] - 2, sheet.shape[0] - 2), ink, 1)
    return sheet, places


def _on_card(
    rng: np.random.Generator,
    sticker: Picture,
    pitch: float,
    colour: tuple[float, float, float],
    barcode: str | None,
) -> tuple[Picture, NDArray[np.float64]]:
    """Stick the label on the jacket, a little askew, with what else is on jackets.

    Returned with it: the affine map from the label's paper to the jacket.
    """
    least, most = (3.0, 10.0) if rng.random() < 0.5 else (8.0, 26.0)
    around = [round(float(rng.uniform(least, most)) * pitch) for _ in range(4)]
    rows = sticker.shape[0] + around[0] + around[2]
    columns = sticker.shape[1] + around[1] + around[3]
    picture = card(rng, (rows, columns), colour)
    matrix = _stick(rng, picture, sticker, (around[0], around[1]))
    if barcode is None and rng.random() < 0.25:
        note = handwritten(
            str(rng.choice(["see also vol 2", "film lib", "ret. 1979", "OLD FILMS"])),
            2.6 * pitch,
            rng,
            face=str(rng.choice(HANDS)),
        )
        at = (rows - note.shape[0] - 2, int(rng.integers(0, max(1, columns - note.shape[1]))))
        blend(picture, note, at, (0.2, 0.2, 0.25), 0.8)
    return picture, matrix


def _stick(
    rng: np.random.Generator, picture: Picture, sticker: Picture, at: tuple[int, int]
) -> NDArray[np.float64]:
    """Stick paper on a picture at (row, column), a little askew; return the map onto it."""
    rows, columns = picture.shape[:2]
    middle = (sticker.shape[1] / 2, sticker.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, float(rng.normal(0, 0.8)), 1.0)
    matrix[:, 2] += (at[1], at[0])
    solid = cv2.warpAffine(np.ones(sticker.shape[:2], np.float32), matrix, (columns, rows))
    turned = cv2.warpAffine(sticker, matrix, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
    shadow = np.roll(solid, (2, 2), (0, 1))
    picture *= 1 - np.float32(0.12) * shadow[..., None]
    picture += solid[..., None] * (turned - picture)
    return np.asarray(matrix, np.float64)


_STAMPS = ("COPY", "DO NOT DESTROY", "RECEIVED", "LOANED", "PURGED 1991", "DUPLICATE")


def wear_down(
    rng: np.random.Generator, picture: Picture, pitch: float, wear: float
) -> NDArray[np.uint8]:
    """Age paper and scan it: stains, folds, stamps, pen strokes, fading, skew, blur, noise."""
    return _scanned(_worn(rng, picture, pitch, wear)[0])


def _scanned(picture: Picture) -> NDArray[np.uint8]:
    scanned: NDArray[np.uint8] = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    return scanned


def _noise(wear: float) -> float:
    """Return the standard deviation of a scan's noise in each channel."""
    return 0.006 + 0.03 * wear


def _worn(
    rng: np.random.Generator, picture: Picture, pitch: float, wear: float
) -> tuple[Picture, NDArray[np.float64], float]:
    """Age paper and scan it; return also how it was skewed, and the blur in pixels."""
    rows, columns = picture.shape[:2]
    for _ in range(int(rng.poisson(1.6 * wear))):
        _stain(rng, picture)
    for _ in range(int(rng.poisson(1.2 * wear))):
        _fold(rng, picture)
    if rng.random() < 0.5 * wear:
        text = line(str(rng.choice(_STAMPS)), "narrow", float(rng.uniform(5, 9)) * pitch)
        text = _turned(text, float(rng.normal(0, 14)))
        at = (
            int(rng.integers(0, max(1, rows - text.shape[0]))),
            int(rng.integers(0, max(1, columns - text.shape[1]))),
        )
        ink = [(0.7, 0.15, 0.15), (0.25, 0.2, 0.55)][int(rng.integers(2))]
        blend(picture, text, at, ink, float(rng.uniform(0.3, 0.75)))
    for _ in range(int(rng.poisson(0.7 * wear))):
        walk = np.cumsum(rng.normal(0, 9 * pitch, (4, 2)), axis=0) + rng.uniform(0, 1, 2) * (
            columns,
            rows,
        )
        stroke = cv2.resize(walk, (2, 60), interpolation=cv2.INTER_CUBIC)
        mask = np.zeros((rows, columns), np.float32)
        points = [(stroke * 16).astype(np.int32)]
        cv2.polylines(mask, points, False, 1.0, max(1, round(0.35 * pitch)), cv2.LINE_AA, 4)
        blend(picture, mask, (0, 0), (0.15, 0.2, 0.5), 0.85)
    fade = np.float32(1 - wear * float(rng.beta(1.6, 2.2)) * 0.85)
    mean = np.float32(np.median(picture))
    picture = mean + (picture - mean) * fade
    skew = float(rng.normal(0, 0.4 + 1.4 * wear))
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), skew, 1.0)
    picture = np.asarray(
        cv2.warpAffine(picture, matrix, (columns, rows), borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
    sigma = 0.35 + wear * float(rng.gamma(2.0, 0.22)) * pitch / 5.9
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    picture += rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(_noise(wear))
    return picture, np.asarray(matrix, np.float64), sigma


def _turned(mask: NDArray[np.float32], angle: float) -> NDArray[np.float32]:
    pad = mask.shape[1] // 3
    padded = np.pad(mask, ((pad, pad), (8, 8)))
    middle = (padded.shape[1] / 2, padded.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, angle, 1.0)
    return np.asarray(cv2.warpAffine(padded, matrix, padded.shape[::-1]), np.float32)


def _stain(rng: np.random.Generator, picture: Picture) -> None:
    rows, columns = picture.shape[:2]
    mask = np.zeros((rows, columns), np.float32)
    at = (int(rng.integers(columns)), int(rng.integers(rows)))
    radius = int(float(rng.uniform(0.06, 0.22)) * columns)
    cv2.circle(mask, at, radius, 0.5, -1)
    cv2.circle(mask, at, radius, 1.0, max(1, radius // 14))
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(1.0, radius / 24)), np.float32)
    brown = np.array([0.45, 0.62, 0.85], np.float32)
    picture *= 1 - mask[..., None] * brown * np.float32(rng.uniform(0.08, 0.4))


def _fold(rng: np.random.Generator, picture: Picture) -> None:
    rows, columns = picture.shape[:2]
    mask = np.zeros((rows, columns), np.float32)
    if rng.random() < 0.5:
        at = int(rng.integers(rows))
        cv2.line(mask, (0, at), (columns, at + int(rng.normal(0, rows / 30))), 1.0, 2)
    else:
        at = int(rng.integers(columns))
        cv2.line(mask, (at, 0), (at + int(rng.normal(0, columns / 30)), rows), 1.0, 2)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2), np.float32)
    picture *= 1 - np.float32(0.3) * np.roll(mask, 3, 0)[..., None]
    picture += np.float32(0.15) * mask[..., None]
