#!/usr/bin/env bash
# Train on several GPUs: tools/dist_train.sh CONFIG GPUS [ARGUMENT OF train.py ...]
# More nodes and Slurm: see dist_launch.sh.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG GPUS [ARGUMENT OF train.py ...]" >&2
    exit 2
fi
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$tools/dist_launch.sh" "$tools/train.py" "$2" "$1" "${@:3}"
