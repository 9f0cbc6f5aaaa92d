#!/usr/bin/env bash
# Starts a Python program on several ranks with whichever mpirun is there.
set -euo pipefail

usage() {
    cat <<'EOF'
Usage: launch/run.sh [-n N] [--hosts HOSTS | --hostfile FILE] [--max-restarts N] script.py [arguments ...]

Starts N ranks of script.py with MPICH, Open MPI or Intel MPI.

  -n N, -np N       number of ranks; by default one for each core of this machine
  --hosts HOSTS     machines to run on, separated by commas
  --hostfile FILE   file that lists the machines to run on, one a line
  --max-restarts N  start the job again, up to N times, when it crashes, is killed, or saves itself and leaves
                    with exit code 75 because it was told to end; the script goes on from its last backup
                    where it has the callback BackupAndRestore
  -h, --help        this text

With --max-restarts, SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 are passed on to the job, which is then not started again.

Environment:
  MPIRUN            the mpirun to use; by default the one beside the Python, else the first in PATH
  PYTHON            the Python to use; by default the active virtual environment's, else python3
  OMP_NUM_THREADS   BLAS threads of a rank; by default the cores of a machine shared among its ranks

The exit code is that of the job, with --max-restarts that of its last start.
EOF
}

refuse() {
    printf 'run.sh: %s\nTry: launch/run.sh --help\n' "$1" >&2
    exit 2
}

fail() {
    printf 'run.sh: %s\n' "$1" >&2
    exit 1
}

parse_arguments() {
    ranks='' hosts='' hostfile='' script='' max_restarts=''
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        -n | -np | --hosts | --hostfile | --max-restarts)
            [ $# -ge 2 ] && [ -n "$2" ] || refuse "$1: expected a value after it."
            case $1 in
            --hosts) hosts=$2 ;;
            --hostfile) hostfile=$2 ;;
            --max-restarts) max_restarts=$2 ;;
            *) ranks=$2 ;;
            esac
            shift 2
            ;;
        -*) refuse "$1: unknown option." ;;
        *)
            script=$1
            shift
            break
            ;;
        esac
    done
    script_arguments=("$@")
    [ -n "$script" ] || refuse 'expected a script to run.'
    [ -f "$script" ] || refuse "$script: no such script."
    [[ -z $ranks || $ranks =~ ^0*[1-9][0-9]{0,6}$ ]] || refuse "-n: expected a number of ranks of at least 1, received $ranks."
    [[ -z $max_restarts || $max_restarts =~ ^[0-9]{1,7}$ ]] ||
        refuse "--max-restarts: expected a number of restarts, received $max_restarts."
    [ -z "$hosts" ] || [ -z "$hostfile" ] || refuse 'expected --hosts or --hostfile, received both.'
    [ -z "$hostfile" ] || [ -f "$hostfile" ] || refuse "--hostfile $hostfile: no such file."
}

# Sets python, its folder, and the number of cores that this shell's processes may run on.
find_python() {
    python=${PYTHON:-}
    if [ -z "$python" ] && [ -n "${VIRTUAL_ENV:-}" ] && [ -x "$VIRTUAL_ENV/bin/python" ]; then
        python=$VIRTUAL_ENV/bin/python
    fi
    python=${python:-python3}
    local question='import os, sys
print(os.path.dirname(sys.executable))
print(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)'
    local answer
    answer=$("$python" -c "$question") || fail "$python does not start. Activate a virtual environment or set PYTHON."
    python_folder=${answer%$'\n'*}
    cores=${answer##*$'\n'}
}

find_mpirun() {
    mpirun=${MPIRUN:-}
    if [ -z "$mpirun" ] && [ -x "$python_folder/mpirun" ]; then
        mpirun=$python_folder/mpirun
    fi
    mpirun=$(command -v "${mpirun:-mpirun}") ||
        fail "${MPIRUN:-mpirun} was not found. Install an MPI (for example: pip install mpich) or set MPIRUN."
    local version
    version=$("$mpirun" --version 2>&1) || fail "$mpirun --version fails: $version"
    case $version in
    *'Open MPI'* | *OpenRTE* | *PRRTE*) implementation=openmpi ;;
    *) implementation=hydra ;; # MPICH, Intel MPI, MVAPICH and Cray MPICH take the same options
    esac
}

# Prints how many machines the job runs on.
count_machines() {
    if [ -n "$hosts" ]; then
        printf '%s\n' "$hosts" | tr ',' '\n' | sed 's/:.*//' | sort -u | grep -c .
    elif [ -n "$hostfile" ]; then
        sed 's/#.*//; s/^[[:space:]]*//; s/[[:space:]:].*//; /^$/d' "$hostfile" | sort -u | grep -c .
    else
        printf '%s\n' "${SLURM_JOB_NUM_NODES:-1}"
    fi
}

set_environment() {
    local ranks_each=$(((ranks + machines - 1) / machines))
    local share=$((cores / ranks_each))
    if [ -z "${OMP_NUM_THREADS:-}" ]; then
        export OMP_NUM_THREADS=$((share > 1 ? share : 1))
        export OPENBLAS_NUM_THREADS=$OMP_NUM_THREADS MKL_NUM_THREADS=$OMP_NUM_THREADS
    fi
    export PYTHONUNBUFFERED=1
    if [ -n "$max_restarts" ] && [ "$implementation" = openmpi ]; then
        export DISTNET_STOP_SIGNALS=${DISTNET_STOP_SIGNALS:-TERM,USR1} # see pass_on
    fi
}

# Sets options: what this mpirun must be told. Hydra hands its environment on to other machines by itself.
choose_options() {
    options=(-n "$ranks")
    if [ "$implementation" = hydra ]; then
        [ -z "$hosts" ] || options+=(-hosts "$hosts")
        [ -z "$hostfile" ] || options+=(-f "$hostfile")
        return
    fi
    options+=(--oversubscribe)
    [ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
    # Bound to one core, as Open MPI does with few ranks, a rank's BLAS threads would share that core.
    [ "${OMP_NUM_THREADS%%,*}" = 1 ] || options+=(--bind-to none)
    [ -z "$hosts" ] || options+=(--host "$hosts")
    [ -z "$hostfile" ] || options+=(--hostfile "$hostfile")
    local name
    for name in PYTHONUNBUFFERED OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS ${!DISTNET_*}; do
        [ -z "${!name:-}" ] || options+=(-x "$name")
    done
}

# A signal that a scheduler sent: the job gets it too, and its end is then final.
pass_on() {
    told_to_end=1 interrupted=1
    local name=$1
    # Open MPI's mpirun answers SIGTERM by killing the ranks; SIGUSR1 it passes on to them.
    [ "$implementation" != openmpi ] || [ "$name" != TERM ] || name=USR1
    kill -s "$name" "$job" 2>/dev/null || true
}

# Sets code: the job's exit code. A signal makes wait return before the job's end.
start_and_wait() {
    "${command[@]}" </dev/null &
    job=$!
    [ -z "$told_to_end" ] || pass_on TERM # it was told between two starts
    local found
    while :; do
        interrupted=''
        wait "$job" && found=0 || found=$?
        [ "$found" -eq 127 ] || code=$found
        [ -n "$interrupted" ] || return 0
    done
}

run_with_restarts() {
    told_to_end='' job='' restarts=0
    set -m # a group of its own: the terminal's signals come from here alone
    local name
    for name in TERM INT USR1 USR2; do
        # shellcheck disable=SC2064
        trap "pass_on $name" "$name"
    done
    while start_and_wait; do
        [ "$code" -ne 0 ] && [ -z "$told_to_end" ] && [ "$restarts" -lt "$max_restarts" ] || break
        restarts=$((restarts + 1))
        printf 'run.sh: the job ended with exit code %s; restart %s of %s.\n' "$code" "$restarts" "$max_restarts" >&2
    done
    [ "$code" -eq 0 ] ||
        printf 'run.sh: the job ended with exit code %s after %s restarts.\n' "$code" "$restarts" >&2
    exit "$code"
}

parse_arguments "$@"
find_python
find_mpirun
machines=$(count_machines) || refuse 'expected at least one machine in --hosts or --hostfile.'
ranks=${ranks:-$((cores * machines))}
ranks=$((10#$ranks))
set_environment
choose_options
command=("$mpirun" "${options[@]}" "$python" "$script" ${script_arguments[@]+"${script_arguments[@]}"})
[ -n "$max_restarts" ] || exec "${command[@]}"
max_restarts=$((10#$max_restarts))
run_with_restarts
