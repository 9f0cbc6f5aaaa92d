"""Ways to damage a model's file: its bytes, its objects, its texts. Each is drawn from a seed."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

Draw = np.random.Generator
STRANGE_NUMBERS = (0, 1, 7, 0x7F, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)
STRANGE_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 10**9, 10**13, 2**63, -(2**70), 0.5, -1e300, float("nan"), float("inf")),
    *("", "x", "relu", "adam", "Lambda", "__class__", "../../etc/passwd", "\ud800", "a/b", "a" * 5000, "9" * 5000),
    *([], [[]], [1], [None, 10**9], [10**9] * 3, {}, {"class_name": "Dense"}, {"class_name": "Lambda", "config": {}}),
    {"class_name": "Dense", "config": {"units": 10**9}},
    {"class_name": "__tuple__", "items": [1]},
    {"module": "os", "class_name": "system", "config": {"command": "touch /tmp/pwned"}, "registered_name": None},
)


def damaged_bytes(content: bytes, draw: Draw) -> bytes:
    """A few bytes or runs of bytes changed."""
    data = bytearray(content)
    for _ in range(int(draw.integers(1, 4))):
        start = int(draw.integers(0, max(1, len(data))))
        length = int(draw.choice([1, 2, 4, 8, 16, 64, 512]))
        kind = draw.integers(0, 7)
        if kind == 0:
            data[start : start + 1] = bytes([data[start] ^ (1 << int(draw.integers(0, 8)))]) if data else b""
        elif kind == 1:
            data[start : start + length] = draw.bytes(length)
        elif kind == 2:
            size = int(draw.choice([1, 2, 4, 8]))
            number = STRANGE_NUMBERS[int(draw.integers(0, len(STRANGE_NUMBERS)))]
            data[start : start + size] = (number % 256**size).to_bytes(size, "little")
        elif kind == 3:
            del data[start : start + length]
        elif kind == 4:
            data[start:start] = draw.bytes(length)
        elif kind == 5:
            other = int(draw.integers(0, max(1, len(data))))
            data[start : start + length] = data[other : other + length]
        else:
            data[start:] = b""
    return bytes(data)


def damaged_objects(content: bytes, draw: Draw) -> bytes:
    """Objects and attributes removed, renamed, replaced by what does not belong there."""
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        for _ in range(int(draw.integers(1, 4))):
            names: list[str] = []
            file.visit(names.append)
            if not names:
                break
            name = names[int(draw.integers(0, len(names)))]
            change = OBJECT_CHANGES[int(draw.integers(0, len(OBJECT_CHANGES)))]
            try:
                change(file, name, draw)
            except (ArithmeticError, KeyError, OSError, RuntimeError, TypeError, ValueError):
                continue
    return memory.getvalue()


def damaged_texts(content: bytes, draw: Draw) -> bytes:
    """Values of the JSON in the file's attributes replaced, removed or moved."""
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        texts = [(o, name) for o in _objects(file) for name in o.attrs if _is_json(o.attrs[name])]
        owner, name = texts[int(draw.integers(0, len(texts)))]
        tree = json.loads(owner.attrs[name])
        for _ in range(int(draw.integers(1, 4))):
            _change_value(tree, draw)
        text = json.dumps(tree)
        if draw.integers(0, 10) == 0:
            cut = int(draw.integers(0, len(text)))
            text = text[:cut] + ("[" * 100_000 if draw.integers(0, 2) else "")
        owner.attrs[name] = text
    return memory.getvalue()


KINDS: tuple[Callable[[bytes, Draw], bytes], ...] = (damaged_bytes, damaged_objects, damaged_texts)


def mutation(content: bytes, seed: int) -> bytes:
    """Mutation number ``seed`` of a file; an archive is damaged as bytes alone."""
    draw = np.random.default_rng(seed)
    if content[:2] == b"PK":
        return damaged_bytes(content, draw)
    return KINDS[seed % len(KINDS)](content, draw)


def _objects(file: h5py.File) -> list[Any]:
    names: list[str] = []
    file.visit(names.append)
    return [file, *(file[name] for name in names)]


def _is_json(value: Any) -> bool:
    return isinstance(value, str | bytes) and value[:1] in ("{", "[", b"{", b"[")


def _change_value(tree: Any, draw: Draw) -> None:
    places: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        places += [(node, key) for key in keys]
        waiting += [node[key] for key in keys if isinstance(node[key], dict | list)]
    if not places:
        return
    node, key = places[int(draw.integers(0, len(places)))]
    kind = draw.integers(0, 4)
    if kind == 0:
        del node[key]
    elif kind == 1:
        other, key2 = places[int(draw.integers(0, len(places)))]
        node[key] = json.loads(json.dumps(other[key2]))
    else:
        node[key] = copy.deepcopy(STRANGE_VALUES[int(draw.integers(0, len(STRANGE_VALUES)))])


def _remove(file: h5py.File, name: str, draw: Draw) -> None:
    del file[name]


def _rename(file: h5py.File, name: str, draw: Draw) -> None:
    file.move(name, name + "x")


def _link(file: h5py.File, name: str, draw: Draw) -> None:
    del file[name]
    links = (h5py.SoftLink("/"), h5py.ExternalLink("/etc/passwd", "/"), file["/"], h5py.SoftLink("/nowhere"))
    file[name] = links[int(draw.integers(0, len(links)))]


def _another_array(file: h5py.File, name: str, draw: Draw) -> None:
    was = file[name]
    shape = getattr(was, "shape", (2,))
    del file[name]
    shapes = (shape, (), (0,), (10**12,), (10**7, 10**6), shape[::-1], (*shape, 1), (1, *shape))
    kinds = ("f8", "f4", "f2", "i8", "u1", "c8", "S5", h5py.ref_dtype, h5py.string_dtype(), h5py.vlen_dtype("f4"))
    options = ({}, {"chunks": True}, {"chunks": True, "compression": "gzip"}, {"chunks": True, "scaleoffset": 2})
    file.create_dataset(
        name,
        shapes[int(draw.integers(0, len(shapes)))],
        kinds[int(draw.integers(0, len(kinds)))],
        **options[int(draw.integers(0, len(options)))],
    )


def _another_group(file: h5py.File, name: str, draw: Draw) -> None:
    del file[name]
    file.create_group(name)


def _strange_values(file: h5py.File, name: str, draw: Draw) -> None:
    file[name][...] = (np.nan, np.inf, -1, 1e30)[int(draw.integers(0, 4))]


def _attribute(file: h5py.File, name: str, draw: Draw) -> None:
    owner = file[name] if draw.integers(0, 3) else file
    names = list(owner.attrs)
    which = names[int(draw.integers(0, len(names)))] if names else "format"
    values = (
        *(5, -1, 2**63 - 1, 1.5, np.nan, "x", b"\xff\xfe", "[]", "{}", np.zeros(3), np.zeros((2, 2, 2))),
        *(np.array([b"a", b"a"]), h5py.Empty("f4"), file.ref, np.zeros(2, [("a", "f4")]), ["weights", "weights"]),
    )
    kind = draw.integers(0, len(values) + 1)
    if kind == len(values):
        del owner.attrs[which]
    else:
        owner.attrs[which] = values[int(kind)]


OBJECT_CHANGES = (_remove, _rename, _link, _another_array, _another_group, _strange_values, _attribute, _attribute)
