#!/usr/bin/env bash
# Starts a Python program on several ranks: "distnet run" of the active environment, whose options it takes (--help).
set -euo pipefail

# PYTHON, else the active virtual environment's, else python3.
python=${PYTHON:-}
if [ -z "$python" ] && [ -n "${VIRTUAL_ENV:-}" ] && [ -x "$VIRTUAL_ENV/bin/python" ]; then
    python=$VIRTUAL_ENV/bin/python
fi
python=${python:-python3}
if ! "$python" -c '' 2>/dev/null; then
    printf 'run.sh: %s does not start. Activate a virtual environment or set PYTHON.\n' "$python" >&2
    exit 1
fi
# The checkout that this file lies in, unless distnet is installed.
if ! "$python" -P -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("distnet") is None)'; then
    checkout=$(cd "$(dirname "$0")/.." && pwd)
    export PYTHONPATH=$checkout${PYTHONPATH:+:$PYTHONPATH}
fi
exec "$python" -P -m distnet run "$@"
