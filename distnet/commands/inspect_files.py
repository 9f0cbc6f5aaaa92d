"""``distnet inspect model.h5`` shows what a file holds, without loading it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from distnet.errors import ArgumentError, CheckpointError
from distnet.saving.inspection import inspected


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="as JSON, one object a line")


def inspect_files(options: argparse.Namespace) -> int:
    """Show each file; return the exit code, 1 if one of them is no model's."""
    failures = 0
    for number, path in enumerate(options.files):
        try:
            report = inspected(path)
        except (ArgumentError, CheckpointError) as error:
            sys.stderr.write(_as_text(f"distnet: {error}\n"))
            failures += 1
            continue
        text = json.dumps(report) if options.json else "\n".join([*[""] * bool(number), *_lines(report)])
        sys.stdout.write(_as_text(text + "\n"))
    return min(failures, 1)


def _as_text(text: str) -> str:
    """What can be written anywhere: a file's name may hold bytes that are no text."""
    return os.fsencode(text).decode(errors="backslashreplace")


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
