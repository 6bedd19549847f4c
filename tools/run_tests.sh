#!/usr/bin/env bash
# Install leokit with its test dependencies and pass the tests: bash tools/run_tests.sh [PYTEST ARGUMENT ...]
# Slow tests: bash tools/run_tests.sh -m slow
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh" test

# small tensors run faster on one thread, and the subprocesses that some tests start share the cores
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
selection=(-m "not slow and not gpu")
for argument in "$@"; do
    if [ "$argument" = -m ]; then selection=(); fi
done
exec "$PYTHON" -m pytest ${selection[@]+"${selection[@]}"} "$@"
