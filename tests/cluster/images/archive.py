"""Writes images as docker-archives: layers are streamed from directories, never stored twice."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True)
class Tree:
    """A file or directory that becomes one layer of an image.

    Attributes:
        source: the file or directory.
        target: where it is in the image, without a leading slash; "" is the root.
        keep_owners: keep user and group numbers; they become 0 otherwise.
        leave_out: shell patterns, matched against the path below `source`.
    """

    source: Path
    target: str = ""
    keep_owners: bool = False
    leave_out: tuple[str, ...] = ()

    def members(self) -> Iterator[tuple[tarfile.TarInfo, Path]]:
        """Return every member in a fixed order, with the file it is read from."""
        with tarfile.open(fileobj=io.BytesIO(), mode="w") as plain:
            for path in self._paths():
                relative = path.relative_to(self.source).as_posix()
                name = "/".join(part for part in (self.target, relative) if part not in {"", "."})
                if not name:
                    continue
                # Every name is a file of its own: a hard link would need its target to be in.
                plain.inodes.clear()  # type: ignore[attr-defined]
                member = plain.gettarinfo(path, arcname=name)
                if not self.keep_owners:
                    member.uid = member.gid = 0
                    member.uname = member.gname = ""
                yield member, path

    def _paths(self) -> Iterator[Path]:
        if self.source.is_file():
            yield self.source
            return
        pending = [self.source]
        while pending:
            path = pending.pop()
            if self._is_left_out(path.relative_to(self.source).as_posix()):
                continue
            yield path
            if path.is_dir() and not path.is_symlink():
                pending.extend(sorted(path.iterdir(), reverse=True))

    def _is_left_out(self, relative: str) -> bool:
        return any(fnmatch(relative, pattern) for pattern in self.leave_out)

    def size(self) -> int:
        """Return the bytes of this layer's tar."""
        content = sum(_member_bytes(member) for member, _ in self.members())
        return _rounded(content + 2 * BLOCK, tarfile.RECORDSIZE)

    def write(self, sink: IO[bytes] | io.RawIOBase) -> None:
        """Write this layer's tar, `size` bytes."""
        with tarfile.open(fileobj=sink, mode="w|", format=tarfile.GNU_FORMAT) as layer:
            for member, path in self.members():
                if member.isreg():
                    with path.open("rb") as content:
                        layer.addfile(member, content)
                else:
                    layer.addfile(member)


class _Hashing(io.RawIOBase):
    """Passes bytes on, and hashes them on the way."""

    def __init__(self, sink: IO[bytes]) -> None:
        super().__init__()
        self._sink = sink
        self.digest = hashlib.sha256()

    def write(self, data: "ReadableBuffer", /) -> int:
        self.digest.update(data)
        return self._sink.write(data)


def write_archive(
    sink: IO[bytes], name: str, layers: Sequence[Tree], config: Mapping[str, object]
) -> None:
    """Write an image as an uncompressed docker-archive.

    Args:
        sink: takes the archive; never sought, so a pipe will do.
        name: repository and tag.
        layers: lowest first.
        config: the image's own settings, such as Env and Entrypoint.
    """
    digests = [_write_layer(sink, f"layer-{i}.tar", layer) for i, layer in enumerate(layers)]
    image = {
        "architecture": "amd64",
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        # buildah refuses to build on an image whose history knows fewer layers than it has.
        "history": [{"created_by": f"tests.cluster: {layer.source.name}"} for layer in layers],
    }
    names = [f"layer-{i}.tar" for i in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": names}]
    _write_bytes(sink, "config.json", json.dumps(image).encode())
    _write_bytes(sink, "manifest.json", json.dumps(manifest).encode())
    sink.write(bytes(2 * BLOCK))


def _write_layer(sink: IO[bytes], name: str, layer: Tree) -> str:
    size = layer.size()
    hashing = _Hashing(sink)
    sink.write(_header(name, size))
    layer.write(hashing)
    sink.write(_padding(size))
    return hashing.digest.hexdigest()


def _write_bytes(sink: IO[bytes], name: str, data: bytes) -> None:
    sink.write(_header(name, len(data)) + data + _padding(len(data)))


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


def _member_bytes(member: tarfile.TarInfo) -> int:
    header = len(member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
    return header + (_rounded(member.size, BLOCK) if member.isreg() else 0)


def _padding(size: int) -> bytes:
    return bytes(_rounded(size, BLOCK) - size)


def _rounded(size: int, unit: int) -> int:
    return -(-size // unit) * unit
