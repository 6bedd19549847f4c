#!/usr/bin/env bash
# Test on several GPUs: tools/dist_test.sh CONFIG CHECKPOINT GPUS [ARGUMENT OF test.py ...]
# More nodes and Slurm: see dist_launch.sh.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT GPUS [ARGUMENT OF test.py ...]" >&2
    exit 2
fi
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$tools/dist_launch.sh" "$tools/test.py" "$3" "$1" "$2" "${@:4}"
