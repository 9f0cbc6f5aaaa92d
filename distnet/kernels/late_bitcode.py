"""Functions loaded from the cache without LLVM's form of them, which is read where another is compiled with it.

numba keeps both machine code and LLVM's bitcode, into which it looks for names, and which it makes a module in memory
of. That is most of what it takes to load a function, in time and in pages of LLVM's code.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

from distnet.kernels.llvm import binding

_LATE = "object of distnet"
"""The kind of a stored function that has its names beside its bitcode; others are numba's own."""


def with_names(stored: tuple[str, str, Any]) -> tuple[str, str, Any]:
    """A function as it is to be stored: with the names that its bitcode defines.

    Args:
        stored: as numba would store it: name, kind, and what kinds hold.
    """
    name, kind, code = stored
    if kind != "object":
        return stored
    module = binding.parse_bitcode(code[1])
    defined = [v.name for each in (module.functions, module.global_variables) for v in each if not v.is_declaration]
    return name, _LATE, (*code, frozenset(defined))


class _LateLibrary(JITCodeLibrary):
    """numba's compiled function; its bitcode may not be read yet."""

    _bitcode: bytes | None = None

    @classmethod
    def _unserialize(cls, codegen: Any, state: tuple[str, str, Any]) -> Any:
        name, kind, code = state
        if kind != _LATE:
            return super()._unserialize(codegen, state)  # type: ignore[no-untyped-call]
        machine_code, bitcode, names = code
        library = codegen.create_library(name)
        library.enable_object_caching()
        library._set_compiled_object(machine_code)
        library._bitcode = bitcode
        library._finalize_final_module()
        codegen._engine._defined_symbols |= names
        return library

    def _get_module_for_linking(self) -> Any:
        if self._bitcode is not None:
            self._shared_module, self._bitcode = binding.parse_bitcode(self._bitcode), None
        return super()._get_module_for_linking()  # type: ignore[no-untyped-call]


def load_late() -> None:
    """Let numba load functions that were stored with their names."""
    vars(cpu_target.target_context.codegen())["_library_class"] = _LateLibrary
