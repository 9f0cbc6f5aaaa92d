"""The command ``distnet``, also ``python -m distnet``: ``distnet inspect model.h5`` shows what a file holds."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from distnet.errors import CheckpointError
from distnet.saving.inspection import inspected


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="distnet", description="Data-parallel training with Keras's interface.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    inspect = commands.add_parser("inspect", help="show what a model's file holds, without loading it")
    inspect.add_argument("files", nargs="+", metavar="FILE")
    inspect.add_argument("--json", action="store_true", help="as JSON, one object a line")
    options = parser.parse_args(arguments)
    failures = 0
    for number, path in enumerate(options.files):
        try:
            report = inspected(path)
        except CheckpointError as error:
            sys.stderr.write(f"distnet: {error}\n")
            failures += 1
            continue
        text = json.dumps(report) if options.json else "\n".join([*[""] * bool(number), *_lines(report)])
        sys.stdout.write(text + "\n")
    return min(failures, 1)


def _lines(report: dict[str, Any]) -> list[str]:
    """The report as text."""
    writer, model, compiled, training = (report[key] for key in ("writer", "model", "compiled", "training"))
    is_ours = report["seal"] is not None or writer["distnet_format"] is not None
    by = "distnet, as Keras" if is_ours else "Keras"
    lines = [
        f"{report['file']}: {report['kind']}, {_size(report['bytes'])}",
        f"  written by   {by} {writer['keras_version'] or '3'}",
        f"  seal         {report['seal'] or 'none: not written by distnet, or edited since'}",
    ]
    if model is not None:
        lines.append(f"  model        {model['class_name']} {model['name'] or ''}".rstrip())
    lines.append(f"  parameters   {report['parameters']:,}")
    width = max((len(layer["name"]) for layer in report["layers"]), default=0)
    for layer in report["layers"]:
        weights = ", ".join(f"{_shape(w['shape'])} {w['dtype']}" for w in layer["weights"]) or "no weights"
        lines.append(f"    {layer['name']:<{width}}  {layer['class_name'] or '':<18}  {weights}".rstrip())
    if compiled is not None:
        rate = "" if compiled["learning_rate"] is None else f", learning rate {_rate(compiled['learning_rate'])}"
        lines.append(
            f"  compiled     {compiled['optimizer']}{rate}; loss {compiled['loss']}; metrics {compiled['metrics']}"
        )
    for state in report["optimizer_state"]:
        size = f"{state['arrays']} arrays, {_size(state['bytes'])}"
        lines.append(f"  optimizer    state in {state['layout']} layout: {size} in {state['group']}")
    if training is not None:
        lines.append(
            f"  training     {training['steps']} steps, {training['epochs']} epochs{_place(training['within_epoch'])}"
        )
        logs = " - ".join(f"{key}: {_value(value)}" for key, value in training["history"].items())
        lines += [f"  last epoch   {logs}"] * bool(logs)
    return lines


def _place(moment: dict[str, int] | None) -> str:
    return "" if moment is None else f"; within epoch {moment['epoch']}, after {moment['batches']} batches"


def _rate(rate: Any) -> str:
    return str(rate.get("class_name")) if isinstance(rate, dict) else str(rate)


def _value(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


if __name__ == "__main__":
    raise SystemExit(main())
