"""A specification as a short program, for people to read and to run in either package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from building import DTYPES, OPERATORS, Spec


def program_of(spec: Spec) -> str:
    """The program's text."""
    lines = ["import keras  # or: import distnet as keras"]
    lines += _model(spec, "")
    training = spec.get("training")
    if training:
        losses = [_value(target["loss"]) for target in training["targets"]]
        metrics = [
            f"{key}=[{', '.join(_value(t['metrics'][key]) for t in training['targets'])}]"
            for key in ("metrics", "weighted_metrics")
            if any(t["metrics"][key] for t in training["targets"])
        ]
        lines.append(f"model.compile({_value(training['optimizer'])}, [{', '.join(losses)}], {', '.join(metrics)})")
        rest = {k: v for k, v in training.items() if k not in ("targets", "optimizer")}
        lines.append(f"# trained with {rest}, targets {[t['kind'] for t in training['targets']]}")
    return "\n".join(lines)


def _model(spec: Spec, prefix: str) -> Iterator[str]:
    names = [f"{prefix}x{i}" for i in range(len(spec["inputs"]))]
    for name, given in zip(names, spec["inputs"], strict=True):
        dtype = DTYPES.get(given["values"], "float64")
        yield f"{name} = keras.Input({tuple(given['row'])}, dtype={dtype!r})  # {given['values']}"
    for i, call in enumerate(spec["calls"]):
        on = [names[n] for n in call["on"]]
        made = f"{prefix}y{i}"
        names += [made] if "makes" not in call else [f"{made}[{k}]" for k in range(call["makes"])]
        if call["layer"] in OPERATORS:
            operands = [*on, *([str(call["number"])] if "number" in call else [])]
            yield f"{made} = " + f" {call['layer']} ".join(operands)
            continue
        if "model" in call:
            yield from _model(call["model"], f"{prefix}m{i}_")
        elif "again" not in call:
            yield f"{prefix}layer_{i} = keras.layers.{call['layer']}({_arguments(call['options'])})"
        layer = f"{prefix}m{i}_model" if "model" in call else f"{prefix}layer_{call.get('again', i)}"
        yield f"{made} = {layer}({', '.join(_called_on(call, on, names))})"
    outputs = ", ".join(names[number] for number in spec["outputs"])
    yield f"{prefix}model = keras.Model([{', '.join(names[: len(spec['inputs'])])}], [{outputs}])"


def _called_on(call: Spec, on: list[str], names: list[str]) -> list[str]:
    inputs = on if len(on) == 1 or call["layer"] == "MultiHeadAttention" else [f"[{', '.join(on)}]"]
    tensors = [f"{key}={names[number]}" for key, number in call.get("tensors", {}).items()]
    return [*inputs, *tensors, *([_arguments(call["arguments"])] if "arguments" in call else [])]


def _arguments(options: Spec) -> str:
    return ", ".join(f"{key}={_value(value)}" for key, value in options.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping) and "make" in value:
        return f"keras.{value['make']}({_arguments(value['with'])})"
    if isinstance(value, Mapping) and "function" in value:
        return str(value["function"])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_value(part) for part in value)}]"
    return repr(value)
