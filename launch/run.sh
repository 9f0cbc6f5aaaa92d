#!/usr/bin/env bash
# Starts a Python program on several ranks with whichever mpirun is there.
set -euo pipefail

usage() {
    cat <<'EOF'
Usage: launch/run.sh [-n N] [--hosts HOSTS | --hostfile FILE] script.py [arguments of the script ...]

Starts N ranks of script.py with MPICH, Open MPI or Intel MPI.

  -n N, -np N       number of ranks; by default one for each core of this machine
  --hosts HOSTS     machines to run on, separated by commas
  --hostfile FILE   file that lists the machines to run on, one a line
  -h, --help        this text

Environment:
  MPIRUN            the mpirun to use; by default the one beside the Python, else the first in PATH
  PYTHON            the Python to use; by default the active virtual environment's, else python3
  OMP_NUM_THREADS   BLAS threads of a rank; by default the cores of a machine shared among its ranks

The exit code is that of the job.
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
    ranks='' hosts='' hostfile='' script=''
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        -n | -np | --hosts | --hostfile)
            [ $# -ge 2 ] && [ -n "$2" ] || refuse "$1: expected a value after it."
            case $1 in
            --hosts) hosts=$2 ;;
            --hostfile) hostfile=$2 ;;
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

parse_arguments "$@"
find_python
find_mpirun
machines=$(count_machines) || refuse 'expected at least one machine in --hosts or --hostfile.'
ranks=${ranks:-$((cores * machines))}
ranks=$((10#$ranks))
set_environment
choose_options
exec "$mpirun" "${options[@]}" "$python" "$script" ${script_arguments[@]+"${script_arguments[@]}"}
