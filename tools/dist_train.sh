#!/usr/bin/env bash
# Train on several GPUs: tools/dist_train.sh CONFIG GPUS [ARGUMENT OF train.py ...]
# More nodes and Slurm: see dist_launch.sh and docs/clusters.md.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG GPUS [ARGUMENT OF train.py ...]" >&2
    exit 2
fi
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ ! -e "$tools/dist_launch.sh" ]; then
    echo "error: Slurm runs a copy of a script that sbatch is given, apart from the files it needs; put" \
        "'bash tools/dist_train.sh ...' into a batch script, or pass it to sbatch --wrap" >&2
    exit 2
fi
exec bash "$tools/dist_launch.sh" "$tools/train.py" "$2" "$1" "${@:3}"
