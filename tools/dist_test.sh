#!/usr/bin/env bash
# Test on several GPUs: tools/dist_test.sh CONFIG CHECKPOINT GPUS [ARGUMENT OF test.py ...]
# More nodes and Slurm: see dist_launch.sh and docs/clusters.md.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT GPUS [ARGUMENT OF test.py ...]" >&2
    exit 2
fi
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ ! -e "$tools/dist_launch.sh" ]; then
    echo "error: Slurm runs a copy of a script that sbatch is given, apart from the files it needs; put" \
        "'bash tools/dist_test.sh ...' into a batch script, or pass it to sbatch --wrap" >&2
    exit 2
fi
exec bash "$tools/dist_launch.sh" "$tools/test.py" "$3" "$1" "$2" "${@:4}"
