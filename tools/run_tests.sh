#!/usr/bin/env bash
# Install leokit with its test dependencies and run the tests: bash tools/run_tests.sh [PYTEST ARGUMENT ...]
# Slow tests: bash tools/run_tests.sh -m slow; those that need a GPU: -m gpu -n 0
# The files of tests are divided among the cores, four at most; -n 0 runs all in one process, as --pdb needs it.
set -euo pipefail
# shellcheck source=tools/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh" test

# small tensors are faster on one thread, and the subprocesses of some tests share the cores
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
exec "$PYTHON" -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile "$@"
