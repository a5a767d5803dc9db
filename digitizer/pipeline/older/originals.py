"""The originals of older instances: kept in packs in the vault, or read where they lie."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace

from digitizer.errors import BadScan, UnknownRecord
from digitizer.model.older import Keep, OldInstance, Source, SourceKind
from digitizer.pipeline.services import Services

__all__ = ["PACK_BYTES", "kept", "original"]

PACK_BYTES = 64 << 20
"""A pack is closed beyond this size: small for memory, and large for one flush to disk."""
_BLOCK = tarfile.BLOCKSIZE


def kept(
    services: Services, source: Source, files: Iterable[tuple[OldInstance, bytes]]
) -> Iterator[tuple[OldInstance, bytes]]:
    """Keep originals in the vault where the site wants that; yield each with its place there.

    A pack is a tar file: any tool reads it, and a thousand small files cost one flush to disk.
    """
    if source.keep is Keep.PLACE and source.kind is SourceKind.FOLDER:
        yield from files
        return
    waiting: list[tuple[OldInstance, bytes]] = []
    size = 0
    for instance, content in files:
        waiting.append((instance, content))
        size += len(content)
        if size >= PACK_BYTES:
            yield from _packed(services, waiting)
            waiting, size = [], 0
    if waiting:
        yield from _packed(services, waiting)


def _packed(
    services: Services, files: list[tuple[OldInstance, bytes]]
) -> Iterator[tuple[OldInstance, bytes]]:
    out = io.BytesIO()
    placed = []
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as pack:
        for number, (instance, content) in enumerate(files):
            # Numbered: the names of a hostile disc are no paths of ours.
            entry = tarfile.TarInfo(f"{number:06}.dcm")
            entry.size = len(content)
            start = out.tell() + _BLOCK
            pack.addfile(entry, io.BytesIO(content))
            placed.append((replace(instance, offset=start), content))
    sha256, _ = services.vault.put(out.getvalue())
    for instance, content in placed:
        yield replace(instance, pack=sha256), content


def original(services: Services, source: Source, instance: OldInstance) -> bytes:
    """Return the original file of an instance.

    Raises
    ------
    BadScan, SourceUnreachable
        It cannot be read any more, at its place or in the vault.
    """
    if not instance.pack:
        return services.sources.files(source).read(instance.place)
    try:
        with services.vault.path(instance.pack).open("rb") as pack:
            pack.seek(instance.offset)
            return pack.read(instance.size)
    except UnknownRecord:
        raise BadScan("corrupt_file", "The vault's copy is not there any more.") from None
