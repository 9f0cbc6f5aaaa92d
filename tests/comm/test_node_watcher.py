"""What names the ranks that die without a word, on processes that hold what a rank does; the watcher comes late."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from distnet.comm import node_watcher

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system tells nobody of processes' ends")

WATCHING = """
import json, os, signal, sys, time
sys.path.append(sys.argv[1])
import node_watcher, process_ends

ENDS = {signal.SIGUSR1, signal.SIGUSR2}


def rank(number, state):
    note = os.memfd_create(f"note-{number}")
    os.pwrite(note, b"fit", 0)
    os.pwrite(note, state.encode(), node_watcher.NOTE_BYTES - 1)
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        while signal.sigwait(ENDS) == signal.SIGUSR2:
            os.closerange(3, 100)
        os._exit(3)
    os.close(writing)
    of_process = f"/proc/{process}/fd/"
    return str(number), str(process), f"{of_process}{note}", f"note-{number}", f"{of_process}{reading}"


def wait_for(process, states):
    while open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] not in states:
        time.sleep(0.001)


def said(size, states, ends, closing=()):
    told = [rank(number, state) for number, state in enumerate(states)]
    ranks = [node_watcher.MortalRank(*each) for each in told]
    reading, writing = os.pipe()
    watcher = os.fork()
    if watcher == 0:
        os.dup2(writing, 2)
        os.close(writing)
        watcher = node_watcher.NodeWatcher(size, "here", ranks)
        watcher.run(process_ends.in_words, process_ends.kills_for_memory)
        os._exit(0)
    os.close(writing)
    wait_for(watcher, "S")
    for number in closing:
        os.kill(ranks[number].process, signal.SIGUSR2)
        while len(os.listdir(f"/proc/{ranks[number].process}/fd")) > 3:
            time.sleep(0.001)
        wait_for(watcher, "S")
    os.kill(watcher, signal.SIGSTOP)
    for number, name in [*ends, *((number, "SIGKILL") for number in range(len(ranks)))]:
        os.kill(ranks[number].process, signal.Signals[name])
        wait_for(ranks[number].process, "Z")
    os.kill(watcher, signal.SIGCONT)
    with open(reading) as text:
        words = text.read()
    for process in (watcher, *(each.process for each in ranks)):
        os.waitpid(process, 0)
    return words


signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
print(json.dumps([said(*case) for case in json.loads(sys.argv[2])]))
"""
FAILED, ENDED, LEAVING = (state.decode() for state in (node_watcher.FAILED, node_watcher.ENDED, node_watcher.LEAVING))
CASES = {
    "killed": (2, ["\0", "\0"], [(1, "SIGKILL")], "rank 1 of 2 (process N on here) was ended by SIGKILL. Something "),
    "the first of three": (3, ["\0"] * 3, [(2, "SIGSEGV"), (0, "SIGKILL")], "rank 2 of 3 (process N on here) was "),
    "a library's exit": (1, ["\0"], [(0, "SIGUSR1")], "rank 0 of 1 (process N on here) left without ending its pro"),
    "ended well": (2, [ENDED, ENDED], [(1, "SIGUSR1")], ""),
    "told by another": (2, ["\0", FAILED], [(0, "SIGKILL")], ""),
    "told by another, late": (2, [FAILED, "\0"], [(1, "SIGKILL")], ""),
    "at its end": (2, [LEAVING, "\0"], [(0, "SIGKILL")], "rank 0 of 2 (process N on here) was ended by SIGKILL. So"),
    "at its end, for another machine": (3, [LEAVING], [(0, "SIGKILL")], ""),
    "of several machines": (3, ["\0"], [(0, "SIGKILL")], "rank 0 of 3 (process N on here) was ended by SIGKILL. So"),
    "beside one that closed all": (2, ["\0", "\0"], [(1, "SIGTERM")], [0], "rank 1 of 2 (process N on here) was en"),
}


def test_the_first_that_dies_without_a_word_is_named_once():
    cases = json.dumps([case[:-1] for case in CASES.values()])
    command = [sys.executable, "-I", "-S", "-c", WATCHING, str(Path(node_watcher.__file__).parent), cases]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    for (name, (*_, expected)), words in zip(CASES.items(), told, strict=True):
        if not expected:
            assert not words, (name, words)
            continue
        assert re.sub(r"process \d+", "process N", words).startswith(f"\ndistnet: {expected}"), (name, words)
        assert words.count("distnet:") == 1, (name, words)
        assert ("at its end" if "at its end" in name else "Its last note: fit.") in words, (name, words)
        assert ("the first of this machine" in words) == (name == "of several machines"), (name, words)
