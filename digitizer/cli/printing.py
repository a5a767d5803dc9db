"""Commands that print paper for the feeding desk."""

from pathlib import Path

import click

from digitizer.cli.base import Root, Session, pass_session
from digitizer.engines.printing import MOST_LABELS, print_labels, print_separators
from digitizer.errors import UsageError
from digitizer.pipeline.labels import labels_of

__all__ = ["COMMANDS"]

paper = Root(name="print", help="Paper for the feeding desk, as PDF.")
out_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="PDF to write."
)


@paper.command(name="separators")
@out_option
@click.option("--copies", default=10, help="How many sheets.")
def separators(output: Path, copies: int) -> int:
    """Separator sheets: each begins a new jacket where it is scanned."""
    return _write(output, print_separators(copies))


@paper.command(name="labels")
@click.argument("names", metavar="[JACKET]...", nargs=-1)
@out_option
@click.option("--box", default="", help="All jackets of this box of the jacket list.")
@pass_session
def labels(session: Session, names: tuple[str, ...], output: Path, box: str) -> int:
    """Barcodes of jackets (JACKET or BOX/JACKET), 24 to a page."""
    chosen = labels_of(session.services, box=box, names=names, most=MOST_LABELS)
    return _write(output, print_labels(chosen))


def _write(path: Path, content: bytes) -> int:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    print(f"Written: {path}")
    return 0


COMMANDS: tuple[click.Command, ...] = (paper,)
