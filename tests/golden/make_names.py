"""Walks Keras's public modules, and writes the names of functions, classes and values to names.json beside this file.

python tests/golden/make_names.py
"""

import json
import os
import types
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras


def names(module, path, seen):
    """Each name with its path; a module that has two paths is walked by the first."""
    for name in sorted(dir(module)):
        value = getattr(module, name)
        if name.startswith("_") or (name == "src" and not path):
            continue
        own = f"{path}.{name}".lstrip(".")
        if not isinstance(value, types.ModuleType):
            yield own
        elif value.__name__.startswith("keras") and value.__name__ not in seen:
            seen.add(value.__name__)
            yield from names(value, own, seen)


def main():
    """Write them by module."""
    by_module = {}
    for name in names(keras, "", set()):
        module, _, own = name.rpartition(".")
        by_module.setdefault(module, []).append(own)
    lines = [f"  {json.dumps(module)}: {json.dumps(' '.join(own))}" for module, own in sorted(by_module.items())]
    text = f'{{\n"version": {json.dumps(keras.__version__)},\n"names": {{\n' + ",\n".join(lines) + "\n}\n}\n"
    (Path(__file__).parent / "names.json").write_text(text)


if __name__ == "__main__":
    main()
