from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("mpirun")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / program), *arguments]
    environment = {**os.environ, "DISTNET_KERNELS": "numpy"}  # importing numba takes each rank a second
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environment)


def lines_of(program: str, *arguments: str) -> list[str]:
    done = run(program, *arguments, "--quick")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_prints_a_line_for_each_contestant_and_draws_them(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is optional: pip install 'distnet[plot]'")
    chosen = ["--model", "mlp", "table", "--ranks", "2", "--batch", "16", "--peer", "own-layers"]
    lines = lines_of("step_time.py", *chosen, "--plot", str(tmp_path / "times.png"))
    assert [line.split(",")[0] for line in lines if ", batch 16, " in line] == ["mlp", "table"]
    names = ["ms/step", "distnet, 2 ranks", "own-layers"]
    assert [[line[:16].rstrip() for line in block] for block in (lines[2:5], lines[8:11])] == [names, names]
    assert (tmp_path / "times.png").stat().st_size > 1000


def test_the_end_of_a_step_is_timed_beside_mpis():
    lines = lines_of("reduction.py", "--ranks", "2", "--bytes", "1000", "100000")
    assert [re.split("  +", line)[0] for line in lines[2:]] == ["us, medians", "2 ranks, 1 KB", "2 ranks, 100 KB"]


def test_convolutions_and_the_input_pipeline_are_timed_on_one_rank():
    lines = lines_of("convolutions.py")
    assert len(lines) == 9
    assert re.search(r"32x32, 16 -> 32, stride 2 +\d+/\d+/\d+$", "\n".join(lines), re.MULTILINE)
    lines = lines_of("input_pipeline.py", "--ranks", "1", "--workers", "2")
    assert [line.split("  ")[0] for line in lines[3:]] == ["distnet, 1 rank, arrays", "distnet, 1 rank, 2 workers"]


def test_predictions_of_resnet50_are_timed():
    lines = lines_of("resnet50.py", "--batch", "2")
    assert re.match(r"distnet, 1 rank +\d+\.\d +\d+\.\d +\d+\.\d$", lines[3])


def test_start_up_and_memory_are_told():
    assert re.match(r"distnet, 1 rank +\d+\.\d\d ", lines_of("start_up.py", "--model", "table", "--ranks", "1")[3])
    line = lines_of("memory.py", "--model", "table", "--ranks", "1")[3]
    assert re.match(r"table, batch 10 +distnet, 1 rank +\d+ +\d+ +0\.0 +0\.0 +150\.0$", line)


@pytest.mark.parametrize("option", ["--peer=keras-jax", "--plot=x.png"])
def test_a_package_that_is_not_installed_is_named_with_its_command(option, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    if option.startswith("--plot"):
        hidden = "import sys; sys.modules['matplotlib'] = None; sys.argv[1:] = ['--plot', 'x.png']; import step_time"
        command = [sys.executable, "-c", f"{hidden}; step_time.main()"]
        environment = {**os.environ, "PYTHONPATH": f"{BENCHMARKS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert f"needs the package 'matplotlib' in {sys.executable}: pip install matplotlib" in done.stderr
    else:
        done = run("step_time.py", option, "--peer-python", str(python))
        assert f"needs the package 'keras' in {python}: pip install keras jax" in done.stderr
    assert done.returncode == 1


def test_the_page_names_programs_and_options_that_exist():
    page = (BENCHMARKS / "README.md").read_text()
    commands = [shlex.split(text) for text in re.findall(r"`python (benchmarks/[^`]+)`", page)]
    assert {Path(command[0]).name for command in commands} == {
        path.name for path in BENCHMARKS.glob("*.py") if "measuring.options" in path.read_text()
    } | {"checkpoint_stall.py", "scaling.py"}
    for program, *words in commands:
        files = Path(program).name, "measuring.py", "contestants.py", "workloads.py"
        text = "".join((BENCHMARKS / name).read_text() for name in files)
        assert [word for word in words if not word.isdigit() and f'"{word}"' not in text] == []
    assert all((BENCHMARKS.parent / path).exists() for path in re.findall(r"`(benchmarks/\w+\.py)`", page))
