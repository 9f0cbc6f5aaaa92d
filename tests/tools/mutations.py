"""Ways to damage a model's file: its bytes, its objects, its texts, its archive. Each is drawn from a seed."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from distnet.saving.seal import seal_of

Draw = np.random.Generator
STRANGE_NUMBERS = (0, 1, 7, 0x7F, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)
CANARY = "canary"
"""A module that must not be imported, whatever a file names."""
STRANGE_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 10**9, 10**13, 2**63, -(2**70), 0.5, -1e300, float("nan"), float("inf")),
    *("", "x", "relu", "adam", "Lambda", "__class__", "../../etc/passwd", "\ud800", "a/b", "a" * 5000, "9" * 5000),
    *([], [[]], [1], [None, 10**9], [10**9] * 3, {}, {"class_name": "Dense"}, {"class_name": "Lambda", "config": {}}),
    {"class_name": "Dense", "config": {"units": 10**9}},
    {"class_name": "__tuple__", "items": [1]},
    {"class_name": "__lambda__", "config": {"code": "4wEAAAAAAAAAAAAAAAAAAAA=", "defaults": None, "closure": None}},
    {"class_name": "function", "config": "system", "module": "os", "registered_name": "system"},
    {"module": "os", "class_name": "system", "config": {"command": "touch /tmp/pwned"}, "registered_name": None},
    {"module": CANARY, "class_name": "Canary", "config": {}, "registered_name": f"{CANARY}>Canary"},
    *({"__array__": 0}, {"__array__": 10**9}, {"__array__": "../0"}, {"class_name": "Sequential", "config": []}),
    {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}},
)
HUGE = (10**5, 10**6, 2**24, 10**8, 2**31, 10**9, 10**12, 2**62, 10**30, 10**400, -1, 0)


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
            if change is _bomb:
                break  # to look around in it takes minutes
    return memory.getvalue()


def damaged_texts(content: bytes, draw: Draw) -> bytes:
    """Values of the JSON in the file's attributes and arrays replaced, removed, moved or made huge."""
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        texts = [(o, name) for o in _objects(file) for name in o.attrs if _is_json(o.attrs[name])]
        trees = [o for o in _objects(file) if isinstance(o, h5py.Dataset) and o.name.endswith("/json")]
        choice = int(draw.integers(0, len(texts) + len(trees))) if texts or trees else -1
        if 0 <= choice < len(texts):
            owner, name = texts[choice]
            owner.attrs[name] = damaged_json(owner.attrs[name], draw)
        elif choice >= 0:
            tree = trees[choice - len(texts)]
            where, text = tree.name, damaged_json(tree[()].tobytes(), draw)
            del file[where]
            file[where] = np.frombuffer(text.encode(errors="surrogatepass"), np.uint8)
    return memory.getvalue()


def damaged_json(text: str | bytes, draw: Draw) -> str:
    """A text of JSON with other values, or that is no JSON any more."""
    tree = json.loads(text)
    for _ in range(int(draw.integers(1, 4))):
        _change_value(tree, draw)
    made = json.dumps(tree)
    kind = draw.integers(0, 16)
    if kind == 0:
        return made[: int(draw.integers(0, len(made)))] + ("[" * 100_000 if draw.integers(0, 2) else "")
    if kind == 1:
        return made.replace('"name": ', '"name": "twice", "name": ', 1)
    if kind == 2:
        return made.replace("[", "[" + "[]," * int(draw.choice([1000, 10**6, 4 * 10**6])), 1)
    if kind == 3:
        return made.replace("{", '{"a": ' * (depth := int(draw.choice([50, 130, 900]))) + "{", 1) + "}" * depth
    return made


HDF5_KINDS: tuple[Callable[[bytes, Draw], bytes], ...] = (damaged_objects, damaged_texts, damaged_texts)


def mutation(content: bytes, seed: int) -> bytes:
    """Mutation number ``seed`` of an HDF5 file: every fourth of its bytes; of the others half are sealed anew."""
    draw = np.random.default_rng(seed)
    kind = seed % 4
    if kind == 3:
        return damaged_bytes(content, draw)
    made = HDF5_KINDS[kind](content, draw)
    return made + seal_of(memoryview(made)) if draw.integers(0, 2) else made


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
    kind = draw.integers(0, 7)
    numbers = [(n, k) for n, k in places if isinstance(n[k], int | float) and not isinstance(n[k], bool)]
    if kind == 0:
        del node[key]
    elif kind == 1:
        other, key2 = places[int(draw.integers(0, len(places)))]
        node[key] = json.loads(json.dumps(other[key2]))
    elif kind == 2 and numbers:
        node, key = numbers[int(draw.integers(0, len(numbers)))]
        node[key] = HUGE[int(draw.integers(0, len(HUGE)))]
    elif kind == 3 and isinstance(node, dict):
        node[str(draw.choice(["module", "registered_name", "class_name", "fn", "name", "dtype"]))] = CANARY
    elif kind == 4 and isinstance(node, list):
        node *= int(draw.choice([2, 3, 300]))
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
    shapes = (shape, (), (0,), (2**24 - 1,), (10**12,), (10**7, 10**6), shape[::-1], (*shape, 1), (1, *shape))
    kinds = ("f8", "f4", "f2", "i8", "u1", "c8", "S5", h5py.ref_dtype, h5py.string_dtype(), h5py.vlen_dtype("f4"))
    options = ({}, {"chunks": True}, {"chunks": True, "compression": "gzip"}, {"chunks": True, "scaleoffset": 2})
    file.create_dataset(
        name,
        shapes[int(draw.integers(0, len(shapes)))],
        kinds[int(draw.integers(0, len(kinds)))],
        **options[int(draw.integers(0, len(options)))],
    )


def _bomb(file: h5py.File, name: str, draw: Draw) -> None:
    """Zeros, or one long text many times, that fill little of the file and much of the memory."""
    kind = draw.integers(0, 5)
    if kind == 0:
        del file[name]
        size = int(draw.choice([2**24 - 2**16, 2**25, 2**30]))
        file.create_dataset(name, (size,), "u1", chunks=(2**16,), compression="gzip", fillvalue=1)
    elif kind == 1:
        file[name].attrs["weight_names"] = np.array(["x" * 10_000] * 3000, dtype=object)
    elif kind == 2:
        del file[name]
        file.create_dataset(name, (2**22,), "u1", chunks=(1,))
    elif kind == 3:
        file[name].attrs["weight_names"] = ["./" * i + "kernel" for i in range(200)]
    else:
        deep = "/".join("g" * int(draw.choice([60, 70, 3000])))
        file.create_group(f"{name}_deep/{deep}")


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


OBJECT_CHANGES = (
    *(_remove, _rename, _link, _another_array, _another_group, _strange_values, _attribute, _attribute, _bomb),
)
