"""Trains the network that reads worn figures (digitizer/engines/figures.py) on drawn numbers.

``scripts/setup --train`` installs what this needs. Numbers are drawn in many faces, of which none
is used in rehearsals, struck by worn types, and then worn as print on paper is: ink lost in patches
and bands, blots, rules, folds, stamps and pen strokes across, grain, blur, lines that run askew. Of
what lost too much to be told nothing is learned. Drawn numbers are kept in --data and drawn again
only where they are missing; all comes from --seed.
"""

import argparse
import pickle
import random
import sys
from dataclasses import astuple, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rich.progress import track
from torch import nn

MODEL = Path(__file__).parents[1] / "digitizer" / "engines" / "figures.onnx"
ROWS, STEP = 40, 4
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
FONTS = Path("/usr/share/fonts")
FACES = {
    "typewriter": (
        "Courier Prime.otf", "Courier Prime Bold.otf", "NimbusMonoPS-Regular.otf",
        "NimbusMonoPS-Bold.otf", "FreeMono.ttf", "FreeMonoBold.ttf", "TlwgTypewriter.ttf",
        "TlwgTypewriter-Bold.ttf", "TlwgTypist.ttf", "TlwgTypist-Bold.ttf", "TlwgMono.ttf",
        "TlwgMono-Bold.ttf", "cmuntt.ttf", "cmuntb.ttf", "Compagnon-Roman.otf",
        "Compagnon-Medium.otf", "Compagnon-Light.otf",
    ),
    "printer": (
        "Go-Mono.ttf", "Go-Mono-Bold.ttf", "Inconsolata.otf", "JetBrainsMono-Regular.ttf",
        "JetBrainsMono-Bold.ttf", "B612Mono-Regular.otf", "B612Mono-Bold.otf",
        "Hermit-medium.otf", "Hermit-bold.otf", "FiraCode-Regular.ttf", "FiraCode-Bold.ttf",
        "3270-Regular.ttf", "3270SemiCondensed-Regular.ttf", "Anonymous Pro.ttf",
        "Anonymous Pro B.ttf", "NotoMono-Regular.ttf", "LeagueMono-Regular.otf",
        "LeagueMono-NarrowMedium.otf", "LeagueMono-Bold.otf", "OCRA.ttf", "OCRB.otf",
        "mononoki-Regular.ttf", "mononoki-Bold.ttf", "Monoid-Regular.ttf",
    ),
    "sans": (
        "NimbusSans-Regular.otf", "NimbusSans-Bold.otf", "NimbusSansNarrow-Bold.otf",
        "NimbusSansNarrow-Regular.otf", "FreeSans.ttf", "FreeSansBold.ttf", "Roboto-Regular.ttf",
        "Roboto-Bold.ttf", "RobotoCondensed-Bold.ttf", "RobotoCondensed-Regular.ttf",
        "Lato-Regular.ttf", "Lato-Bold.ttf", "OpenSans-Regular.ttf", "OpenSans-Bold.ttf",
        "Cabin-Regular.otf", "Cabin-Bold.otf", "ClearSans-Regular.ttf", "ClearSans-Bold.ttf",
        "URWGothic-Book.otf",
    ),
    "serif": ("NimbusRoman-Regular.otf", "NimbusRoman-Bold.otf", "FreeSerif.ttf", "C059-Roman.otf"),
}  # fmt: skip
SHARES = {"typewriter": 0.45, "printer": 0.27, "sans": 0.25, "serif": 0.03}
STAMPS = ("COPY", "PURGED", "LOANED", "DUPLICATE", "RECEIVED", "FILED", "VOID", "CONFIDENTIAL")
BEFORE = ("", "", "NO: ", "MRN ", "ID: ", "# ", "No. ", "HOSP NO: ", "SMITH  ", "X-RAY NO. ", "A ")
AFTER = ("", "", "  M", "  DOB", "   12", "  CHEST", " .")
SHARD = 6000
LEAST_LEFT = 0.25
"""A sign of which less than this is left of what tells it from the one most like it teaches
nothing but to guess."""

Picture = NDArray[np.float32]
Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Drawn:
    """A line of 40 rows with a number, and the column of the middle of each of its signs.

    ``left`` tells of each sign how much wear left of what tells it from the sign most like it.
    """

    line: Grey
    text: str
    middles: Picture
    left: Picture


@cache
def face_files() -> dict[str, list[Path]]:
    """Return the files of all faces; all must be there, so that training can be repeated."""
    there = {one.name: one for one in sorted(FONTS.rglob("*")) if one.suffix in (".ttf", ".otf")}
    missing = [name for names in FACES.values() for name in names if name not in there]
    if missing:
        raise SystemExit(f"train_figures: not installed: {', '.join(missing)}")
    return {kind: [there[name] for name in names] for kind, names in FACES.items()}


@cache
def font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Return a face in a size."""
    return ImageFont.truetype(str(path), size)


@cache
def capitals(path: Path) -> float:
    """Return the height of a face's capitals per em."""
    return max(-font(path, 200).getbbox("H", anchor="ls")[1], 60) / 200


def sized(path: Path, cap: float) -> ImageFont.FreeTypeFont:
    """Return a face with capitals of a height in pixels."""
    return font(path, max(8, round(cap / capitals(path))))


def one_of(rng: np.random.Generator, kind: str) -> Path:
    """Return one face of a kind."""
    files = face_files()[kind]
    return files[int(rng.integers(len(files)))]


def number(rng: np.random.Generator) -> str:
    """Return a number as hospitals form them."""

    def figures(least: int, most: int) -> str:
        return "".join(str(one) for one in rng.integers(0, 10, int(rng.integers(least, most))))

    def letters(count: int) -> str:
        return "".join(SIGNS[10 + int(one)] for one in rng.integers(0, 26, count))

    kind = rng.random()
    if kind < 0.42:
        return figures(5, 11)
    if kind < 0.72:
        return letters(1) + figures(5, 9)
    if kind < 0.79:
        return letters(2) + figures(4, 8)
    if kind < 0.84:
        return "-".join(figures(2, 4) for _ in range(3))
    if kind < 0.88:
        return figures(4, 8) + letters(1)
    if kind < 0.91:
        return figures(4, 7) + "-" + figures(1, 3)
    return "".join(SIGNS[int(one)] for one in rng.integers(0, 36, int(rng.integers(5, 9))))


def cloud(rng: np.random.Generator, shape: tuple[int, ...], size: float) -> Picture:
    """Return noise of variance one and of a grain of so many pixels."""
    reduced = max(1.0, size / 2)
    grain = size / reduced
    few = (int(shape[0] / reduced) + 3, int(shape[1] / reduced) + 3)
    noise = cv2.GaussianBlur(rng.standard_normal(few, dtype=np.float32), (0, 0), grain)
    noise = noise * np.float32(2 * grain * np.sqrt(np.pi))
    return np.asarray(cv2.resize(noise, (shape[1], shape[0])), np.float32)


def written(
    rng: np.random.Generator, text: str, path: Path, cap: float
) -> tuple[Picture, list[float]]:
    """Return a line's coverage by ink, its base two capitals down, and where each sign begins."""
    face = sized(path, cap)
    spread = float(rng.uniform(-0.5, 3.5)) if rng.random() < 0.25 else 0.0
    # Types of a typewriter strike a little high or low.
    uneven = 0.03 * cap if path in face_files()["typewriter"] and rng.random() < 0.6 else 0.0
    begins = [cap + face.getlength(text[:at]) + at * spread for at in range(len(text) + 1)]
    canvas = Image.new("L", (int(begins[-1] + cap), int(3 * cap)))
    ink = ImageDraw.Draw(canvas)
    if spread or uneven:
        for sign, x in zip(text, begins, strict=False):
            ink.text((x, 2 * cap + rng.normal(0, uneven)), sign, fill=255, font=face, anchor="ls")
    else:
        ink.text((cap, 2 * cap), text, fill=255, font=face, anchor="ls")
    return np.asarray(canvas, np.float32) / 255, begins


def struck(rng: np.random.Generator, ink: Picture, begins: list[float], cap: float) -> Picture:
    """Return print of worn types: rough at its edges, each sign stronger on one side.

    A type that stands askew, or has lost metal, leaves strokes of uneven width.
    """
    field = cv2.GaussianBlur(ink, (0, 0), cap * float(rng.uniform(0.03, 0.08)))
    usual = float(np.median(field[ink > 0.5])) if (ink > 0.5).any() else 1.0
    down = (np.arange(ink.shape[0], dtype=np.float32)[:, None] - np.float32(1.5 * cap)) / cap
    askew = float(rng.uniform(0, 0.5))
    for first, last in pairwise(begins):
        here = slice(int(first), int(last))
        across = np.linspace(-0.5, 0.5, here.stop - here.start, dtype=np.float32)
        lean, tilt = rng.normal(0, askew, 2).astype(np.float32)
        field[:, here] *= 1 + lean * across + tilt * down
    rough = np.float32(rng.uniform(0.05, 0.3)) * cloud(
        rng, ink.shape, cap * float(rng.uniform(0.04, 0.15))
    )
    least, edge = float(rng.uniform(0.35, 0.8)), float(rng.uniform(0.1, 0.4))
    return np.clip((field / usual * (1 + rough) - least) / edge + 0.5, 0, 1)


@cache
def likest(path: Path, sign: str) -> str:
    """Return the three signs of its kind that a sign of a face is taken for most easily."""
    kind = next((one for one in (SIGNS[:10], SIGNS[10:36]) if sign in one), "")
    own = shape(path, 24.0, sign, 0.0)
    away = {
        other: apart(own, own, shape(path, 24.0, other, 0.0)) for other in kind if other != sign
    }
    return "".join(sorted(away, key=lambda one: away[one])[:3])


def shape(path: Path, cap: float, sign: str, beyond: float) -> Picture:
    """Return the coverage of one sign, set so far beyond a whole column, as a scan blurs it."""
    face = sized(path, cap)
    canvas = Image.new("L", (int(2.2 * cap), int(1.7 * cap)))
    at = (cap / 2 + beyond, 2 * cap - int(0.7 * cap))
    ImageDraw.Draw(canvas).text(at, sign, fill=255, font=face, anchor="ls")
    return cv2.GaussianBlur(np.asarray(canvas, np.float32) / 255, (0, 0), 0.05 * cap)


def apart(seen: Picture, own: Picture, other: Picture) -> float:
    """Return how far what is seen lies on its own side of where another sign fits as well."""
    return float(
        (seen * (own / np.linalg.norm(own) - other / max(float(np.linalg.norm(other)), 1e-6))).sum()
    )


def left_of(ink: Picture, text: str, begins: list[float], path: Path, cap: float) -> list[float]:
    """Return how much of what tells each sign from the one most like it is left, 1 being all.

    The observer of :mod:`digitizer.rehearsal.legibility`, who knows face and place, without noise.
    """
    blurred = cv2.GaussianBlur(ink, (0, 0), 0.05 * cap)[int(0.7 * cap) :]
    left = []
    for sign, x in zip(text, begins, strict=False):
        first = int(x) - int(cap / 2)
        beyond = x - first - cap / 2
        own = shape(path, cap, sign, beyond)
        seen = blurred[: own.shape[0], max(first, 0) : first + own.shape[1]]
        own = own[: seen.shape[0], : seen.shape[1]]
        shares = [1.0]
        for other in likest(path, sign):
            rival = shape(path, cap, other, beyond)[: seen.shape[0], : seen.shape[1]]
            whole = apart(own, own, rival)
            # Of its neighbours only what runs into either is seen.
            alone = seen * (cv2.dilate(np.maximum(own, rival), np.ones((3, 3))) > 0.02)
            if whole > 0:
                shares.append(apart(alone, own, rival) / whole)
        left.append(min(shares))
    return left


def worn(rng: np.random.Generator, ink: Picture, cap: float) -> tuple[Picture, Picture]:
    """Take ink away in patches, holes and bands, or let it run; return also how much stays."""
    weight = rng.random()
    if weight < 0.2 and cap > 18:
        ink = cv2.erode(ink, np.ones((2, 2), np.uint8))
    elif weight < 0.35:
        ink = cv2.dilate(ink, np.ones((2, 2), np.uint8))
    wear = float(rng.beta(1.8, 1.3)) if rng.random() < 0.9 else 0.0
    left = np.ones_like(ink)
    if rng.random() < 0.9:
        size = cap * float(np.exp(rng.uniform(np.log(0.05), np.log(0.4))))
        patches = rng.uniform(0, 1) + rng.uniform(0.4, 1.3) * cloud(rng, ink.shape, size)
        left -= np.float32(wear * rng.uniform(0.1, 0.6)) * patches.astype(np.float32)
    if rng.random() < 0.3:
        holes = cloud(rng, ink.shape, cap * float(rng.uniform(0.3, 1.2))) > rng.uniform(0.3, 1.2)
        left *= 1 - np.float32(wear * rng.uniform(0, 0.8)) * holes
    if rng.random() < 0.2:
        bands = cloud(rng, (ink.shape[0], 1), cap * float(rng.uniform(0.08, 0.3)))
        left *= 1 - np.float32(wear) * np.clip(bands * 0.5, 0, 1)
    left = np.clip(left, 0.03, 1)
    ink = ink * left
    if rng.random() < 0.12:
        blots = cv2.GaussianBlur(ink, (0, 0), cap * 0.05) * (1 + 0.3 * cloud(rng, ink.shape, cap))
        ink = np.maximum(ink, 0.7 * np.clip(blots, 0, 1.3))
    return np.asarray(ink, np.float32), left


def on_paper(rng: np.random.Generator, ink: Picture, path: Path, cap: float) -> Picture:
    """Lay ink on paper, with a printed rule, and with lines above or below."""
    rows, columns = ink.shape
    paper, contrast = float(rng.uniform(0.6, 0.98)), np.float32(rng.uniform(0.3, 0.95))
    picture = np.full(ink.shape, paper, np.float32)
    if rng.random() < 0.6:
        size = cap * float(rng.uniform(0.4, 4))
        picture *= 1 + np.float32(rng.uniform(0.005, 0.05)) * cloud(rng, ink.shape, size)
    if rng.random() < 0.25:
        row = int((2 + rng.uniform(0.1, 0.6)) * cap)
        picture[row : row + max(1, int(cap * rng.uniform(0.03, 0.1)))] *= float(
            rng.uniform(0.5, 0.95)
        )
    picture *= 1 - contrast * ink
    if rng.random() < 0.35:
        other, _ = written(rng, f"{number(rng)} {number(rng)}", path, cap)
        beside = np.zeros_like(ink)
        step = int(cap * rng.uniform(1.5, 2.0))
        wide = min(columns, other.shape[1])
        if rng.random() < 0.5:
            beside[step:, :wide] = other[: rows - step, :wide]
        else:
            beside[: rows - step, :wide] = other[step:, :wide]
        picture *= 1 - contrast * beside
    return picture


def folded(rng: np.random.Generator, picture: Picture, cap: float) -> Picture:
    """Fold the paper along the line: a shadow, a light beside it, and ink broken off."""
    rows, columns = picture.shape
    down = np.arange(rows, dtype=np.float32)[:, None] - np.float32(rows * rng.uniform(0.35, 0.75))
    across = down - np.float32(rng.normal(0, 0.03)) * np.arange(columns, dtype=np.float32)
    width = np.float32(rng.uniform(0.03, 0.12) * cap)
    shadow = np.float32(rng.uniform(0.1, 0.5)) * np.exp(-((across / width) ** 2))
    light = np.float32(rng.uniform(-0.2, 0.3)) * np.exp(-(((across - 2 * width) / width) ** 2))
    picture = picture * (1 - shadow - light)
    if rng.random() < 0.5:
        bare = np.exp(-(((across - width) / (0.7 * width)) ** 2))
        paper = np.float32(np.quantile(picture, 0.8))
        picture += (paper - picture) * np.float32(rng.uniform(0.3, 1)) * bare
    return picture


def marked(rng: np.random.Generator, picture: Picture, cap: float) -> Picture:
    """Stamp a word across, or draw pen strokes."""
    rows, columns = picture.shape
    mark = np.zeros_like(picture)
    if rng.random() < 0.6:
        face = sized(one_of(rng, "sans"), cap * float(rng.uniform(1.3, 4)))
        canvas = Image.new("L", (columns, rows))
        at = (float(rng.uniform(-0.6, 0.8)) * columns, float(rng.uniform(0.3, 1.2)) * rows)
        ImageDraw.Draw(canvas).text(at, str(rng.choice(STAMPS)), fill=255, font=face, anchor="ls")
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), float(rng.uniform(-35, 35)), 1)
        mark = cv2.warpAffine(np.asarray(canvas, np.float32) / 255, turn, (columns, rows))
        uneven = 0.5 + cloud(rng, picture.shape, cap * 0.2)
        mark = mark * np.clip(1 - rng.uniform(0, 0.6) * uneven, 0.05, 1).astype(np.float32)
    else:
        for _ in range(int(rng.integers(1, 3))):
            ends = [(int(rng.uniform(0, columns)), int(rng.uniform(0, rows))) for _ in range(2)]
            cv2.line(mark, *ends, 1.0, max(1, int(cap * rng.uniform(0.05, 0.2))), cv2.LINE_AA)
    return np.asarray(picture * (1 - np.float32(rng.uniform(0.15, 0.75)) * mark), np.float32)


def draw(rng: np.random.Generator) -> Drawn:
    """Draw one number and wear it down."""
    kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    path, rough = one_of(rng, kind), 0.65 if kind == "typewriter" else 0.2
    cap = float(np.exp(rng.uniform(np.log(13), np.log(29))))
    text, before = number(rng), str(rng.choice(BEFORE))
    ink, begins = written(rng, before + text + str(rng.choice(AFTER)), path, cap)
    printed = struck(rng, ink, begins, cap) if rng.random() < rough else ink
    begins = begins[len(before) : len(before) + len(text) + 1]
    inked, stays = worn(rng, printed, cap)
    left = left_of(np.minimum(ink, printed) * stays, text, begins, path, cap)
    picture = on_paper(rng, inked, path, cap)
    if rng.random() < 0.25:
        picture = folded(rng, picture, cap)
    if rng.random() < 0.28:
        picture = marked(rng, picture, cap)
    rows, columns = picture.shape
    stretch = float(np.exp(rng.normal(0, 0.08)))
    turn = cv2.getRotationMatrix2D((columns / 2, 1.5 * cap), float(rng.normal(0, 0.7)), 1.0)
    turn = np.array([[stretch, rng.normal(0, 0.02), 0], [0, 1, 0]]) @ np.vstack([turn, [0, 0, 1]])
    wide = int(columns * stretch) + 2
    picture = cv2.warpAffine(picture, turn, (wide, rows), borderMode=cv2.BORDER_REPLICATE)
    begins_at = turn[0] @ np.array([begins, [1.5 * cap] * len(begins), [1.0] * len(begins)])
    picture = cv2.GaussianBlur(picture, (0, 0), max(0.3, cap * float(rng.uniform(0.012, 0.07))))
    if rng.random() < 0.7:
        grain = np.float32(rng.uniform(0, 0.07))
        picture = picture + grain * rng.standard_normal(picture.shape, dtype=np.float32)
    if rng.random() < 0.3:
        picture = picture + np.float32(rng.uniform(0, 0.04)) * cloud(rng, picture.shape, 0.8)
    # Boxes of lines are loose: half of their height is often room.
    around = float(rng.uniform(0.1, 0.9))
    above, below = (cap * max(0.05, around + float(one)) for one in rng.normal(0, 0.08, 2))
    before_px, behind_px = (float(one) * cap for one in rng.uniform(0.08, 0.5, 2))
    top, low = int(max(0, cap - above)), int(min(rows, 2 * cap + below))
    first, last = int(max(0, begins_at[0] - before_px)), int(min(wide, begins_at[-1] + behind_px))
    piece = picture[top:low, first:last]
    scale = ROWS / piece.shape[0]
    middles = ((begins_at[:-1] + begins_at[1:]) / 2 - first) * scale
    low_tone, high_tone = np.quantile(piece, (0.005, 0.995))
    grey = np.clip((piece - low_tone) * (255 / max(float(high_tone - low_tone), 0.02)), 0, 255)
    size = (max(6 * STEP, round(piece.shape[1] * scale)), ROWS)
    line = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return Drawn(
        line.astype(np.uint8), text, middles.astype(np.float32), np.array(left, np.float32)
    )


def drawn(folder: Path, seed: int, count: int) -> list[Drawn]:
    """Return so many drawn numbers, from the folder where they are there."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    every: list[Drawn] = []
    for shard in track(range(-(-count // SHARD)), "drawing"):
        kept = folder / f"{seed}-{shard}.pkl"
        if not kept.exists():
            rng = np.random.default_rng((seed, shard))
            begun = kept.with_suffix(".part")
            some = [draw(rng) for _ in range(SHARD)]
            begun.write_bytes(pickle.dumps([astuple(one) for one in some]))
            begun.rename(kept)
        every += [Drawn(*one) for one in pickle.loads(kept.read_bytes())]
    return every


class Network(nn.Module):
    """Tells of every four columns of a line which sign stands there, or that none does."""

    def __init__(self, heard: int = 112) -> None:
        super().__init__()

        def layer(of: int, to: int, size: object, step: object, room: object) -> list[nn.Module]:
            convolved = nn.Conv2d(of, to, size, step, room, bias=False)  # type: ignore[arg-type]
            return [convolved, nn.BatchNorm2d(to), nn.ReLU(inplace=True)]

        self.strokes = nn.Sequential(
            *layer(1, 24, 5, 2, 2),
            *layer(24, 40, 3, 2, 1),
            *layer(40, 64, 3, 1, 1),
            *layer(64, 96, 3, (2, 1), 1),
            *layer(96, 144, (ROWS // 8, 1), 1, 0),
        )
        # One number is printed in one face: a sign is told by its neighbours too.
        self.context = nn.LSTM(144, heard, bidirectional=True, batch_first=True)
        self.signs = nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * heard, 1 + len(SIGNS)))

    def forward(self, lines: torch.Tensor) -> torch.Tensor:
        """Return the classes' scores, shape (lines, steps, classes)."""
        along = self.strokes(lines).squeeze(2).transpose(1, 2)
        return self.signs(self.context(along)[0])


class Chances(nn.Module):
    """The network with chances in place of scores, as it is kept."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, lines: torch.Tensor) -> torch.Tensor:
        """Return the classes' chances."""
        return self.network(lines).softmax(-1)


def batch_of(
    numbers: list[Drawn], rng: np.random.Generator | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return lines and what stands at each step: -1 where that is open, between two signs.

    With a generator they are varied: grain, tone, a piece rubbed off.
    """
    columns = -(-max(one.line.shape[1] for one in numbers) // STEP) * STEP
    lines = np.ones((len(numbers), 1, ROWS, columns), np.float32)
    stands = np.full((len(numbers), columns // STEP), -1, np.int64)
    for row, one in enumerate(numbers):
        line = one.line.astype(np.float32) / 127.5 - 1
        if rng is not None:
            line = varied(rng, line)
        lines[row, 0, :, : line.shape[1]] = line
        at = (np.arange(line.shape[1] // STEP) + 0.5) * STEP
        apart = np.abs(at[:, None] - one.middles)
        width = float(np.median(np.diff(one.middles)))
        nearest, beside = apart.argmin(axis=1), apart.min(axis=1) / width
        signs = np.array([1 + SIGNS.index(sign) for sign in one.text])[nearest]
        signs[(beside > 0.28) | (one.left[nearest] < LEAST_LEFT)] = -1
        signs[beside > 0.42] = 0
        stands[row, : len(at)] = signs
    batch = torch.from_numpy(lines).contiguous(memory_format=torch.channels_last)
    return batch, torch.from_numpy(stands)


def varied(rng: np.random.Generator, line: Picture) -> Picture:
    """Return a line as another scan might show it."""
    if rng.random() < 0.3:
        grain = np.float32(rng.uniform(0, 0.25))
        line = line + grain * rng.standard_normal(line.shape, dtype=np.float32)
    if rng.random() < 0.3:
        line = np.sign(line) * np.abs(line) ** np.float32(rng.uniform(0.7, 1.5))
    if rng.random() < 0.25:
        top, left = int(rng.integers(0, ROWS)), int(rng.integers(0, line.shape[1]))
        rows, columns = rng.integers(2, 12), rng.integers(2, 10)
        line = line.copy()
        line[top : top + rows, left : left + columns] = np.median(line[:3])
    return np.clip(line, -1, 1)


def right(network: nn.Module, numbers: list[Drawn]) -> tuple[float, float]:
    """Return the shares told rightly of legible numbers and signs, asked where signs stand."""
    network.eval()
    exact, whole, signs, count = 0, 0, 0, 0
    with torch.no_grad():
        for first in range(0, len(numbers), 32):
            some = numbers[first : first + 32]
            chances = network(batch_of(some, None)[0]).softmax(-1).numpy()
            for one, told in zip(some, chances, strict=True):
                at = np.clip(np.round(one.middles / STEP - 0.5).astype(int), 1, len(told) - 2)
                here = told[at - 1] + told[at] + told[at + 1]
                read = "".join(SIGNS[sign] for sign in here[:, 1:].argmax(axis=1))
                legible = one.left >= LEAST_LEFT
                hits = np.array([a == b for a, b in zip(read, one.text, strict=True)])
                if legible.all():
                    whole += 1
                    exact += bool(hits.all())
                signs += int(hits[legible].sum())
                count += int(legible.sum())
    return exact / whole, signs / count


def train(numbers: list[Drawn], asked: list[Drawn], epochs: int, seed: int) -> Network:
    """Train a network, and print how well it does on numbers that it has not seen."""
    torch.manual_seed(seed)
    shuffled, rng = random.Random(seed), np.random.default_rng(seed)
    network = Network()
    network.strokes.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-4)
    loss_of = nn.CrossEntropyLoss(ignore_index=-1, label_smoothing=0.01)
    steps = epochs * (len(numbers) // 32)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.05)
    done = 0
    for epoch in range(epochs):
        # Lines of alike length side by side: little of a batch is empty.
        order = sorted(shuffled.sample(numbers, len(numbers)), key=lambda one: one.line.shape[1])
        batches = [order[first : first + 32] for first in range(0, len(order) - 31, 32)]
        shuffled.shuffle(batches)
        for some in batches:
            network.train()
            lines, stands = batch_of(some, rng)
            loss = loss_of(network(lines).flatten(0, 1), stands.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            rate.step()
            done += 1
            if done % 500 == 0 or done == steps:
                exact, signs = right(network, asked)
                print(
                    f"epoch {epoch}, step {done} of {steps}: loss {loss.item():.3f}, "
                    f"numbers {exact:.3f}, signs {signs:.4f}",
                    flush=True,
                )
    return network


def main() -> int:
    """Draw, train and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--numbers", type=int, default=48_000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--data", type=Path, default=Path("bench-data/figures"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=MODEL)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    asked_rng = np.random.default_rng((arguments.seed, 1_000_000))
    asked = [draw(asked_rng) for _ in range(600)]
    numbers = drawn(arguments.data, arguments.seed, arguments.numbers)
    network = train(numbers, asked, arguments.epochs, arguments.seed)
    torch.onnx.export(
        Chances(network).eval(),
        (torch.ones(1, 1, ROWS, 200),),
        arguments.out,
        input_names=["line"],
        output_names=["chances"],
        dynamic_axes={"line": {3: "columns"}, "chances": {1: "steps"}},
        dynamo=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
