"""What is printed for the feeding desk is read by our own readers, from the paper as scanned."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from digitizer import film
from digitizer.engines.barcodes import read_barcodes
from digitizer.engines.printing import print_labels, print_separators
from digitizer.errors import UsageError
from digitizer.model.film import ScanKind, SheetKind
from digitizer.model.identity import JacketLabel
from digitizer.model.reading import Reading
from digitizer.pipeline.examine import find_on_page
from digitizer.reading import kind_of
from digitizer.scan.decoding import FileDecoder


def printed(content: bytes, folder: Path, page: int = 0) -> np.ndarray:
    """Return a page of a PDF as it comes out of a printer: grey, 300 dpi."""
    path = folder / "print.pdf"
    path.write_bytes(content)
    pixels = FileDecoder().decode(path, page).pixels
    return pixels if pixels.ndim == 2 else pixels[..., 0]


def scanned(page: np.ndarray, dpi: int, degrees: float) -> np.ndarray:
    """Return paper as a scanner sees it: askew, grey, coarser, with noise."""
    rows, columns = page.shape
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1.0)
    askew = cv2.warpAffine(page, turn, (columns, rows), borderValue=255)
    small = cv2.resize(askew, None, fx=dpi / 300, fy=dpi / 300, interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(3).normal(0, 6, small.shape)
    return np.clip(40 + small * 0.75 + noise, 0, 255).astype(np.uint8)


def test_a_separator_sheet_is_told_by_what_is_printed_on_it(tmp_path: Path) -> None:
    """Printed, scanned a little askew at 100 dpi, found as paper, and read as any paper is."""
    page = scanned(printed(print_separators(2), tmp_path, 1), 100, 1.5)
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, page, resolution=(100, 100), resolutionunit="INCH")
    decoder = FileDecoder()
    (sheet,) = find_on_page(decoder, path, 0).sheets
    assert sheet.kind is not SheetKind.FILM
    picture = film.paper_picture(decoder.decode(path), sheet.geometry)
    found = Reading(barcodes=read_barcodes(picture))
    assert {one.text for one in found.barcodes} == {"DIGITIZER-SEPARATOR"}
    assert kind_of(found, ScanKind(sheet.kind.value)) is ScanKind.SEPARATOR


def test_barcodes_of_jackets_are_read_one_by_one(tmp_path: Path) -> None:
    """Each label on its own, coarse and askew as a hand scanner sees it; also long contents."""
    codes = [*(f"JKT-{n:06d}" for n in range(24)), "BOX 12/JACKET 00017 VOL. 3"]
    content = print_labels([JacketLabel(code=one, text=f"BOX-1 / {one}") for one in codes])
    pages = [printed(content, tmp_path, number) for number in (0, 1)]
    for number, code in enumerate(codes):
        page = pages[number // 24]
        row, column = divmod(number % 24, 3)
        height, width = page.shape[0] // 8, page.shape[1] // 3
        label = page[row * height : (row + 1) * height, column * width : (column + 1) * width]
        found = read_barcodes(scanned(np.pad(label, 40, constant_values=255), 300, 3.0))
        assert [(one.text, one.format) for one in found] == [(code, "Code 128")]


def test_what_cannot_be_printed_is_refused() -> None:
    """In words."""
    for copies in (0, 51):
        with pytest.raises(UsageError, match="1 to 50"):
            print_separators(copies)
    for code, words in (("ジャケット", "these signs"), ("J" * 60, "too long"), ("", "these signs")):
        with pytest.raises(UsageError, match=words):
            print_labels([JacketLabel(code=code, text="J")])
    with pytest.raises(UsageError, match="1 to 1000"):
        print_labels([])
