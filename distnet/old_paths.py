"""Keras 1's and 2's module paths, such as ``keras.layers.embeddings``, which have no files here."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec

from distnet.absent import names_elsewhere


def old_paths(package: str, paths: str, room: str, **names: object) -> None:
    """Give ``package`` modules that offer every name of ``room``, and ``names``.

    Keras moved classes between modules from version to version: any class can be imported by any path.

    Args:
        package: the full name of a package that is being imported.
        paths: names of modules within it, separated by spaces; a submodule comes after its parent.
        room: the module of distnet that has the names, without ``distnet.``.
        names: further names of the modules: name -> object.
    """
    for path in paths.split():
        name = f"{package}.{path}"
        module = module_from_spec(ModuleSpec(name, None))
        module.__doc__ = f"Keras's old path of names that are in ``distnet.{room}``."
        module.__getattr__ = names_elsewhere(name, [room])  # type: ignore[method-assign]
        vars(module).update(names)
        parent, _, child = name.rpartition(".")
        sys.modules[name] = module
        setattr(sys.modules[parent], child, module)
