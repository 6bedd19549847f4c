# Sourced by quickstart.sh and run_tests.sh: creates .venv in the clone, installs leokit into it, sets $PYTHON.
# Usage: source tools/environment.sh EXTRA[,EXTRA...]
# LEOKIT_PYTHON: interpreter of the environment (python3); LEOKIT_VENV: its folder (.venv).

LEOKIT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LEOKIT_VENV=${LEOKIT_VENV:-$LEOKIT_ROOT/.venv}
PYTHON=$LEOKIT_VENV/bin/python
cd "$LEOKIT_ROOT" || exit 1

if ! "$PYTHON" -m pip --version > /dev/null 2>&1; then  # none yet, or an incomplete one
    echo "creating a virtual environment in $LEOKIT_VENV"
    "${LEOKIT_PYTHON:-python3}" -m venv "$LEOKIT_VENV" || {
        echo "error: python3 -m venv failed; install Python 3.10 or newer with its venv module" >&2
        exit 1
    }
fi
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    echo "error: leokit needs Python 3.10 or newer; set LEOKIT_PYTHON to one and remove $LEOKIT_VENV" >&2
    exit 1
}
# install again only if the dependencies may have changed
STAMP=$LEOKIT_VENV/.leokit-$1
if [ ! -e "$STAMP" ] || [ setup.cfg -nt "$STAMP" ] || [ pyproject.toml -nt "$STAMP" ] || [ setup.py -nt "$STAMP" ]; then
    echo "installing leokit[$1] (PyTorch is a large download; some minutes the first time)"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --editable ".[$1]" || {
        echo "error: the installation failed; see pip's message above" >&2
        exit 1
    }
    touch "$STAMP"
fi
