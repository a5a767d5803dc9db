"""What the commands say of folders of pictures with an index file."""

from itertools import islice
from pathlib import Path

from digitizer.errors import UsageError
from digitizer.ports import PictureSource

__all__ = ["index_words", "picture_options"]

_KEYS = ("index", "mapping", "films", "pdf", "pace")
_SHOWN = 5


def picture_options(folder: str, options: dict[str, str]) -> dict[str, str]:
    """Check the options of a folder of pictures; its files are found from wherever it is run.

    Raises
    ------
    UsageError
        One is missing, unknown, or names no file.
    """
    if not Path(folder).is_dir():
        raise UsageError(f"{folder} is no folder.", remedy="Name the folder that holds them.")
    odd = sorted(set(options) - set(_KEYS))
    if odd:
        raise UsageError(f"There is no option {odd[0]}.", remedy=f"Options: {', '.join(_KEYS)}.")
    checked = dict(options)
    for key in ("index", "mapping"):
        told = options.get(key, "")
        tried = [Path(told), Path(folder) / told]
        found = next((path for path in tried if told and path.is_file()), None)
        if found is None:
            raise UsageError(
                f"There is no {key} file {told}".rstrip() + ".",
                remedy="Say --set index=FILE --set mapping=FILE.",
            )
        checked[key] = str(found.resolve())
    for key, allowed in (("films", ("yes", "no")), ("pdf", ("document", "pages"))):
        if options.get(key, allowed[0]) not in allowed:
            raise UsageError(f"{key} is {' or '.join(allowed)}.")
    return checked


def index_words(pictures: PictureSource) -> str:
    """Say how many rows an index file has, and the first that cannot be taken."""
    rows = sum(1 for _ in pictures.rows())
    refused = [str(bad) for bad in islice(pictures.refused(), _SHOWN)]
    missing = sum(1 for _ in pictures.without_file())
    lines = [f"The index file has {rows} rows that can be taken; {missing} name no file."]
    return "\n".join([*lines, *(f"Refused: {one}" for one in refused)])
