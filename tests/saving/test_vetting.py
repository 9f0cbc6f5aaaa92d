"""A process that dies, hangs or cannot be started while it examines a file costs no more than an error."""

import sys
import time

import pytest

from distnet import errors, layers, models
from distnet.saving import vetting
from distnet.saving.seal import is_sealed
from distnet.saving.vetting import Examiner

pytestmark = pytest.mark.slow

HEAD = "import json, os, signal, sys, time\n"
ANSWER = "sys.stdin.readline(); print(json.dumps({!r}), flush=True)\n"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    return str(tmp_path / "file")


@pytest.fixture
def examiner(tmp_path, monkeypatch):
    """Makes an examiner whose process runs a text."""
    made = []

    def make(program):
        (tmp_path / "program.py").write_text(HEAD + program)
        monkeypatch.setattr(vetting.rules, "__file__", str(tmp_path / "program.py"))
        made.append(Examiner())
        return made[-1]

    yield make
    for examiner in made:
        examiner.end()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (ANSWER.format("is wrong"), "file: is wrong"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", r"the HDF5 library crashes when it reads it \(SIGSEGV\)"),
        ("sys.stdin.readline(); os.kill(os.getpid(), signal.SIGXCPU)", "does not come to an end"),
        ("sys.stdin.readline(); time.sleep(60)", "did not end within 0 s"),
        ("sys.exit(3)", "ended with exit code 3"),
        ("print('part', end='', flush=True); sys.exit(0)", "ended with exit code 0"),
    ],
)
def test_how_the_process_ends_is_the_files_error(examiner, path, monkeypatch, program, message):
    monkeypatch.setattr(vetting, "_WAIT_S", 0.3 if "sleep" in program else 20)
    with pytest.raises(errors.CheckpointError, match=message):
        examiner(program).examine(path)


def test_one_process_answers_for_many_files(examiner, path):
    answer = "sys.stdin.readline(); print('null', flush=True)\n"
    same = examiner(answer * 3)
    for _ in range(3):
        same.examine(path)
        assert same._process is not None


def test_a_process_that_an_earlier_file_made_ill_is_not_this_files_fault(examiner, path, tmp_path):
    program = f"""
count = len(os.listdir({str(tmp_path)!r}))
open({str(tmp_path)!r} + f"/{{count}}", "w")
sys.stdin.readline(); print('null', flush=True)
os.kill(os.getpid(), signal.SIGSEGV)
"""
    ill = examiner(program)
    for _ in range(3):
        ill.examine(path)
        time.sleep(0.2)


def test_where_no_process_can_be_started_the_error_says_so(path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/python")
    with pytest.raises(errors.CheckpointError, match="cannot be started"):
        Examiner().examine(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_a_file_that_bears_a_seal_is_examined_too_for_anybody_can_make_one(tmp_path, monkeypatch, name):
    model = models.Sequential([layers.Input(shape=(2,)), layers.Dense(2)])
    model.save(tmp_path / name)
    assert is_sealed(tmp_path / name)
    monkeypatch.setattr(sys, "executable", "/no/python")
    vetting._examiner.end()
    with pytest.raises(errors.CheckpointError, match=r"m\..*cannot be started"):
        models.load_model(tmp_path / name)


def test_the_process_is_no_rank_of_the_job(examiner, path, monkeypatch):
    for name in ("PMI_RANK", "OMPI_COMM_WORLD_SIZE", "SLURM_PROCID"):
        monkeypatch.setenv(name, "0")
    program = "sys.stdin.readline(); print(json.dumps(' '.join(os.environ)), flush=True)"
    with pytest.raises(errors.CheckpointError) as caught:
        examiner(program).examine(path)
    assert "PYTHONPATH" in str(caught.value)
    assert not any(name in str(caught.value) for name in ("PMI", "OMPI", "SLURM"))


def test_a_file_of_unknown_origin_is_read_under_mpi(ranks, tmp_path):
    program = """
import sys
import distnet as keras
keras.distribution.barrier()
model = keras.models.load_model(sys.argv[1])
keras.distribution.barrier()
open(f"{sys.argv[2]}/{keras.distribution.rank()}", "w").write(model.name)
"""
    model = models.Sequential([layers.Input(shape=(2,)), layers.Dense(2)], name="same")
    model.save(tmp_path / "m.h5")
    content = (tmp_path / "m.h5").read_bytes()
    (tmp_path / "m.h5").write_bytes(content[:-64])
    ranks(2).run(program, tmp_path / "m.h5", tmp_path).succeeded()
    assert [(tmp_path / str(rank)).read_text() for rank in range(2)] == ["same", "same"]


@pytest.mark.slow
def test_a_forked_process_starts_its_own(alone, tmp_path):
    program = """
import os, sys, warnings
import distnet as keras
from distnet.saving import vetting
warnings.simplefilter("ignore")
keras.models.load_model(sys.argv[1])
mine = vetting._examiner._process
pid = os.fork()
if pid == 0:
    os._exit(0 if vetting._examiner._process is None else 1)
assert os.waitpid(pid, 0)[1] == 0
assert vetting._examiner._process is mine is not None
keras.models.load_model(sys.argv[1])
"""
    models.Sequential([layers.Input(shape=(2,)), layers.Dense(2)]).save(tmp_path / "m.h5")
    (tmp_path / "m.h5").write_bytes((tmp_path / "m.h5").read_bytes()[:-64])
    alone.run(program, tmp_path / "m.h5").succeeded()
