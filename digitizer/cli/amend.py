"""Commands for people who put right what was read, found or fed wrongly."""

import click

from digitizer.cli.base import Session, Verb, pass_session
from digitizer.errors import UsageError
from digitizer.model.instance import Window
from digitizer.model.reading import FieldName
from digitizer.pipeline.adjust import Adjustment, adjust
from digitizer.pipeline.amend import correct, mark_misfiled, unmark_misfiled
from digitizer.pipeline.parting import split_jacket
from digitizer.reading import CORRECTABLE

__all__ = ["AMEND_COMMANDS"]

film_argument = click.argument("film")
user_option = click.option("--as", "user", required=True, help="Who says so.")
reason_option = click.option("--reason", "reason_text", default="", help="Why.")


@click.command(name="edit", cls=Verb)
@film_argument
@user_option
@click.option(
    "--field", "fields", multiple=True, required=True, metavar="NAME=VALUE",
    help=f"What stands there; empty takes it back. Names: {', '.join(CORRECTABLE)}.",
)  # fmt: skip
@pass_session
def edit(session: Session, film: str, user: str, fields: tuple[str, ...]) -> int:
    """Say what stands on a film where it was misread; candidates are weighed anew."""
    values = {}
    known = {one.value: one for one in FieldName}
    for text in fields:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"There is no field {name}." if equals else "A field is given as NAME=VALUE.",
                remedy=f"Names: {', '.join(CORRECTABLE)}.",
            )
        values[known[name]] = value
    done = correct(session.services, film, user=user, values=values)
    for number, one in enumerate(done.candidates, start=1):
        print(f"{number}. {one.patient.patient_id} ({one.patient.issuer}) p={one.posterior:.6f}")
    if not done.candidates:
        print("Nobody in the index resembles it.")
    return 0


@click.command(name="misfiled", cls=Verb)
@film_argument
@user_option
@reason_option
@click.option("--back", is_flag=True, help="It does belong to its jacket.")
@pass_session
def misfiled(session: Session, film: str, user: str, reason_text: str, back: bool) -> int:
    """Say that a film lies in the wrong jacket: neither is evidence for the other."""
    if back:
        unmark_misfiled(session.services, film, user=user)
        print("It belongs to its jacket again.")
        return 0
    mark_misfiled(session.services, film, user=user, reason_text=reason_text)
    print("Marked. Decide whose it is: `digitizer review accept`.")
    return 0


@click.command(name="split", cls=Verb)
@film_argument
@user_option
@click.option("--name", default="", help="Of the new jacket; else the old one's with #2.")
@pass_session
def split(session: Session, film: str, user: str, name: str) -> int:
    """Make the films of a jacket from this one on a jacket of their own."""
    print(split_jacket(session.services, film, user=user, name=name).words)
    return 0


@click.command(name="adjust", cls=Verb)
@film_argument
@user_option
@reason_option
@click.option(
    "--corners", nargs=8, type=float, default=None, metavar="X Y X Y X Y X Y",
    help="In pixels of the scan.",
)  # fmt: skip
@click.option("--rotate", "rotate_deg", type=float, default=0.0, help="Degrees, counter-clockwise.")
@click.option("--turn", "turn_deg", type=click.Choice(["0", "90", "180", "270"]), default=None)
@click.option("--mirrored/--not-mirrored", "mirrored", default=None)
@click.option("--window", nargs=2, type=float, default=None, metavar="CENTER WIDTH")
@click.option("--own-window", is_flag=True, help="Leave the window to the picture again.")
@pass_session
def adjust_film(
    session: Session,
    film: str,
    user: str,
    reason_text: str,
    corners: tuple[float, ...] | None,
    rotate_deg: float,
    turn_deg: str | None,
    mirrored: bool | None,
    window: tuple[float, float] | None,
    own_window: bool,
) -> int:
    """Set corners, angle, turn, mirror or window of a film; it goes on from that step."""
    wanted = Adjustment(
        corners=list(zip(corners[::2], corners[1::2], strict=True)) if corners else None,
        rotate_deg=rotate_deg,
        turn_deg=None if turn_deg is None else int(turn_deg),
        mirrored=mirrored,
        window=Window(*window) if window else None,
        own_window=own_window,
    )
    done = adjust(session.services, film, wanted, user=user, reason_text=reason_text)
    print(f"Set. The film is {done.state.value}.")
    return 0


AMEND_COMMANDS: tuple[click.Command, ...] = (edit, misfiled, split, adjust_film)
