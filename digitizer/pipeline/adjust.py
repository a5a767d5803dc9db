"""A sheet's corners, angle, turn, mirror and window set by hand, and going on from there.

What this never does: touch a pixel of the scan, or change what is wrapped already. The capture is
rendered from the original scan with what a person has set. Where the corners moved, the sheet is
read again; its turn changes nothing of what was read, since text is looked for in all eight ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digitizer import film
from digitizer.errors import StaleRecord, UsageError
from digitizer.model.film import Geometry
from digitizer.model.instance import Window
from digitizer.model.raster import Raster
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Scan, Sheet, Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held
from digitizer.pipeline.report import geometry_json
from digitizer.pipeline.review import in_review
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["ADJUSTABLE", "Adjustment", "adjust", "adjustable"]

_TOLD_BY_TURN = (Code.ORIENTATION_UNKNOWN, Code.MARKER_CONTRADICTS)
_STILL_PX = 0.01
ADJUSTABLE = frozenset({State.READ, State.REVIEW, State.APPROVED})
"""States in which a picture may be set by hand: read, and not wrapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What a person sets; what is None stays as it is.

    Attributes
    ----------
    corners : sequence of four (float, float) or None
        Pixels of the scan from its outer corner, in any order.
    rotate_deg : float
        Turns the rectangle about its middle, counter-clockwise, before all else.
    turn_deg : int or None
        0, 90, 180 or 270.
    mirrored : bool or None
    window : Window or None
        In the scan's own values.
    own_window : bool
        Leave the window to the picture again.
    """

    corners: Sequence[tuple[float, float]] | None = None
    rotate_deg: float = 0.0
    turn_deg: int | None = None
    mirrored: bool | None = None
    window: Window | None = None
    own_window: bool = False


def adjust(
    services: Services,
    film_id: str,
    wanted: Adjustment,
    *,
    user: str,
    reason_text: str = "",
    version: int | None = None,
) -> Sheet:
    """Set a sheet's geometry or window by hand; it goes on from that step.

    Raises
    ------
    UsageError
        It is wrapped, nobody's to change now, or what is set cannot be right.
    StaleRecord
        The sheet is not any more what the person saw.
    BadScan
        The scan cannot be decoded.
    """
    with services.ledger.reading() as view:
        sheet = view.get(Sheet, film_id)
        scan = view.get(Scan, sheet.scan_id)
    adjustable(sheet, user)
    _as_seen(sheet, version)
    raster = services.decoder.decode(services.vault.path(scan.sha256 or ""), sheet.page)
    geometry, window = _geometry(sheet, wanted, raster), _window(sheet, wanted, raster)
    moved_far = _moved(sheet, geometry)
    if geometry == sheet.geometry and window == sheet.window:
        raise UsageError("Nothing was changed.")
    set_by = sheet.adjusted_by if geometry == sheet.geometry else user
    changed = replace(sheet, geometry=geometry, window=window, adjusted_by=set_by)
    told = event(
        film_id, "adjusted", user, reason=reason_text, read_again=moved_far,
        before={**geometry_json(sheet.geometry), "window": _pair(sheet.window)},
        after={**geometry_json(geometry), "window": _pair(window)},
    )  # fmt: skip
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        _as_seen(tx.get(Sheet, film_id), sheet.version)
        if moved_far:
            quality = film.quality(raster, geometry, services.quality)
            changed = _to_be_read(tx, replace(changed, quality=quality), user, now)
            step = (Stage.READ, scan.id)
        else:
            changed = _settled(changed) if geometry != sheet.geometry else changed
            step = (Stage.DECIDE, sheet.jacket_id)
        written = tx.save(changed, told)
        due = moved_far or (geometry != sheet.geometry and written.state is State.REVIEW)
        if due:
            tx.schedule(*step)
    if due:
        services.waker.wake([step])
    return written


def adjustable(sheet: Sheet, user: str) -> Geometry:
    """Return the geometry that this person may set.

    Raises
    ------
    UsageError
        The sheet is wrapped, not read yet, on hold, or with somebody else.
    """
    if sheet.sop_instance_uid is not None or sheet.state not in ADJUSTABLE:
        done = sheet.sop_instance_uid is not None
        raise UsageError(
            "It is wrapped already: its capture stands as it is."
            if done
            else f"It is {sheet.state.value}; its picture cannot be changed now.",
            remedy="Reject it and scan the film again, if the capture must not stay."
            if done
            else "Wait until it is read.",
        )
    if sheet.state is State.REVIEW:
        in_review(sheet, user)
    if sheet.geometry is None:
        raise UsageError("No sheet was found in this scan.", remedy="Reject it and scan it again.")
    return sheet.geometry


def _as_seen(sheet: Sheet, version: int | None) -> None:
    if version is not None and sheet.version != version:
        raise StaleRecord("It was changed while you looked at it.", remedy="Look at it again.")


def _geometry(sheet: Sheet, wanted: Adjustment, raster: Raster) -> Geometry:
    """Return the geometry as it shall be; the very same where only the window is set."""
    assert sheet.geometry is not None, "prepare writes the geometry of every sheet"
    old = sheet.geometry
    if (
        wanted.corners is None
        and not wanted.rotate_deg
        and wanted.turn_deg is None
        and wanted.mirrored is None
    ):
        return old
    corners = film.as_scanned(old) if wanted.corners is None else wanted.corners
    if wanted.rotate_deg:
        if not -45 < wanted.rotate_deg <= 45:
            raise UsageError("More than 45 degrees is a turn.", remedy="Set the turn as well.")
        flat = film.by_hand(corners, 0, False, raster.size, raster.dpi)
        corners = film.turned_by(flat.corners, wanted.rotate_deg, raster.dpi)
    turn = (old.turn_deg or 0) if wanted.turn_deg is None else wanted.turn_deg
    mirrored = bool(old.mirrored) if wanted.mirrored is None else wanted.mirrored
    made = film.by_hand(corners, turn, mirrored, raster.size, raster.dpi)
    if _moved(sheet, made):
        return made
    # The same rectangle: what was measured of it stands.
    kept = replace(old, corners=film.as_scanned(old), size_mm=film.as_laid(old))
    return film.orient(kept, turn, mirrored)


def _moved(sheet: Sheet, geometry: Geometry) -> bool:
    assert sheet.geometry is not None, "prepare writes the geometry of every sheet"
    before, after = film.as_scanned(sheet.geometry), film.as_scanned(geometry)
    return film.moved_px(before, after) > _STILL_PX


def _window(sheet: Sheet, wanted: Adjustment, raster: Raster) -> Window | None:
    if wanted.own_window:
        return None
    if wanted.window is None:
        return sheet.window
    most = float(1 << raster.bits)
    if raster.is_colour:
        raise UsageError("A sheet in colour has no window.")
    if not (0 <= wanted.window.center <= most and 1 <= wanted.window.width <= 2 * most):
        raise UsageError("The window lies outside of the scan's values.")
    return wanted.window


def _pair(window: Window | None) -> list[float] | None:
    return None if window is None else [window.center, window.width]


def _settled(sheet: Sheet) -> Sheet:
    """Return a sheet of which a person has told the turn: it is not asked about any more."""
    rest = tuple(one for one in sheet.reasons if one.code not in _TOLD_BY_TURN)
    confirmed = tuple(sorted({*sheet.confirmed, *(code.value for code in _TOLD_BY_TURN)}))
    if sheet.state is State.REVIEW and not rest:
        rest = (reason(Code.BELOW_THRESHOLD, "Its turn is told now; it is decided again."),)
    return replace(sheet, reasons=rest, confirmed=confirmed)


def _to_be_read(tx: Transaction, sheet: Sheet, user: str, now: datetime) -> Sheet:
    """Return a sheet that is to be read again; a decision of it falls with what was read."""
    if sheet.state is not State.REVIEW:
        tx.unschedule(Stage.WRAP, sheet.id)
        asked = held(sheet, State.REVIEW, (reason(Code.BELOW_THRESHOLD),), now)
        sheet = tx.save(asked, event(sheet.id, "reopened", user, why="adjusted"))
    return replace(
        _settled(sheet),
        state=State.PREPARED,
        resume=None,
        reasons=(),
        decision=None,
        assigned_to=None,
        changed_at=now,
    )
