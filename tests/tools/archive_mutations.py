"""Ways to damage a ``.keras`` archive: its bytes, its members, and what they hold. Each is drawn from a seed."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Callable

import numpy as np

from distnet.saving.seal import seal_of
from mutations import Draw, damaged_bytes, damaged_json, damaged_objects, damaged_texts

WEIGHTS, CONFIG, METADATA = "model.weights.h5", "config.json", "metadata.json"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
Members = list[tuple[str | zipfile.ZipInfo, bytes]]

_CENTRAL = b"PK\x01\x02"
_CENTRAL_FIELDS = {"flags": (8, 2), "method": (10, 2), "crc": (16, 4), "stored": (20, 4), "size": (24, 4)}
_CENTRAL_FIELDS |= {"name": (28, 2), "extra": (30, 2), "comment": (32, 2), "attributes": (38, 4), "offset": (42, 4)}
_LIES = (0, 1, 8, 9, 12, 14, 93, 100, 0x7FFF, 0xFFFE, 0xFFFF, 2**20, 2**26, 2**31, 2**32 - 2, 2**32 - 1)


def archive_mutation(content: bytes, seed: int) -> bytes:
    """Mutation number ``seed`` of an archive; every fourth changes bytes alone, half of the others are sealed anew."""
    draw = np.random.default_rng(seed)
    kind = seed % 4
    if kind == 3:
        return damaged_bytes(content, draw)
    made = (_damaged_member, _damaged_list, _damaged_directory)[kind](content, draw)
    return made + seal_of(memoryview(made)) if draw.integers(0, 2) else made


def packed(members: Members, method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these members, whatever their names."""
    memory = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(memory, "w", method) as archive:
        warnings.simplefilter("ignore")  # of names that are there already
        for name, data in members:
            archive.writestr(name, data)
    return memory.getvalue()


def members_of(content: bytes) -> Members:
    """The members of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def _damaged_member(content: bytes, draw: Draw) -> bytes:
    """What a member holds, damaged as a file of its own is."""
    members = dict(members_of(content))
    name = (WEIGHTS, CONFIG, CONFIG, METADATA)[int(draw.integers(0, 4))]
    if name == WEIGHTS:
        kinds: tuple[Callable[[bytes, Draw], bytes], ...] = (damaged_objects, damaged_texts, damaged_bytes)
        members[name] = kinds[int(draw.integers(0, 3))](members[name], draw)
    else:
        members[name] = damaged_json(members[name], draw).encode(errors="surrogatepass")
    return packed(list(members.items()), METHODS[int(draw.integers(0, 3))])


def _damaged_list(content: bytes, draw: Draw) -> bytes:
    """Members that are missing, there twice, too many, elsewhere, links, archives or bombs."""
    members = members_of(content)
    i = int(draw.integers(0, len(members)))
    name, data = members[i]
    link = zipfile.ZipInfo(str(name))
    link.external_attr = 0o120777 << 16
    method = METHODS[int(draw.integers(0, len(METHODS)))]
    size = int(draw.choice([2**18, 2**26 + 2**20])) if method in METHODS[:2] else 2**20
    changes: tuple[Callable[[], Members], ...] = (
        lambda: members[:i] + members[i + 1 :],
        lambda: [*members, (name, data)],
        lambda: [*members, (name, b"{}")],
        lambda: [*members, ("../../evil.txt", b"x"), ("/etc/evil", b"x"), ("assets/", b""), (f"./{name}", data)],
        lambda: [*members[:i], (link, b"/etc/passwd"), *members[i + 1 :]],
        lambda: [*members[:i], (name, content), *members[i + 1 :]],
        lambda: [*members[:i], (name, bytes(size)), *members[i + 1 :]],
        lambda: [*members[:i], (name, b"[" * (size // 64)), *members[i + 1 :]],
        lambda: [*members[:i], (f"a/{name}", data), *members[i + 1 :]],
        lambda: [*members, *((f"m{number}", b"") for number in range(100))],
        lambda: members,
    )
    return packed(changes[int(draw.integers(0, len(changes)))](), method)


def _damaged_directory(content: bytes, draw: Draw) -> bytes:
    """A list of members that lies about them; with what they hold it may agree or not."""
    members = members_of(content)
    if draw.integers(0, 2):
        members = [(name, data + bytes(2**25) * int(draw.integers(0, 2))) for name, data in members]
    data = bytearray(packed(members, METHODS[int(draw.integers(0, 3))]))
    for _ in range(int(draw.integers(1, 4))):
        starts = [i for i in range(len(data) - 400, len(data)) if data[i : i + 4] == _CENTRAL]
        field = str(draw.choice(list(_CENTRAL_FIELDS)))
        place, size = _CENTRAL_FIELDS[field]
        start = starts[int(draw.integers(0, len(starts)))] if starts else 0
        lie = _LIES[int(draw.integers(0, len(_LIES)))] % 256**size
        data[start + place : start + place + size] = struct.pack("<I", lie)[:size]
    return bytes(data)
