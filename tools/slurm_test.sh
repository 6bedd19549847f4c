#!/usr/bin/env bash
# Test through Slurm, in the foreground: tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [ARGUMENT OF test.py ...]
#
# Environment: as of slurm_train.sh; docs/clusters.md explains it.
set -euo pipefail

if [ $# -lt 4 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG CHECKPOINT [ARGUMENT OF test.py ...]" >&2
    exit 2
fi
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ ! -e "$tools/slurm_common.sh" ]; then
    echo "error: this script calls srun itself; run 'bash tools/slurm_test.sh ...' without sbatch" >&2
    exit 2
fi
# shellcheck source=tools/slurm_common.sh
source "$tools/slurm_common.sh"
exec srun --partition="$1" --job-name="$2" "${resources[@]}" --kill-on-bad-exit=1 \
    ${allocation_args[@]+"${allocation_args[@]}"} ${step_args[@]+"${step_args[@]}"} \
    "${python[@]}" -u "$tools/test.py" "$3" "$4" --launcher slurm "${@:5}"
