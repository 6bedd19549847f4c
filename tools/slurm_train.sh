#!/usr/bin/env bash
# Submit a training to Slurm: tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [ARGUMENT OF train.py ...]
#
# The job resumes by itself: a minute before its time limit, or when it is preempted, Slurm sends SIGTERM, the training
# saves a checkpoint and exits, the job is queued again and resumes from the checkpoint.
# Environment: GPUS (8, in total), GPUS_PER_NODE (8), CPUS_PER_TASK (8), SBATCH_ARGS (e.g. "--time=24:00:00 --account=x"),
# SRUN_ARGS, PYTHON (python). GPUS_PER_NODE=0 trains on the CPU with GPUS processes.
set -euo pipefail

if [ $# -lt 4 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG WORK_DIR [ARGUMENT OF train.py ...]" >&2
    exit 2
fi
partition=$1
job_name=$2
config=$3
work_dir=$4
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-8}
resources=(--ntasks="$gpus" --cpus-per-task="${CPUS_PER_TASK:-8}")
if [ "$per_node" -gt 0 ]; then
    if [ "$per_node" -gt "$gpus" ]; then
        per_node=$gpus
    fi
    resources+=(--ntasks-per-node="$per_node" --gres=gpu:"$per_node")
fi
read -r -a sbatch_args <<< "${SBATCH_ARGS:-}"
read -r -a srun_args <<< "${SRUN_ARGS:-}"

# printf %q: the command is passed as text, and its arguments may contain blanks and quotes
command=$(printf '%q ' srun --kill-on-bad-exit=1 --cpus-per-task="${CPUS_PER_TASK:-8}" \
    ${srun_args[@]+"${srun_args[@]}"} "${PYTHON:-python}" -u "$tools/train.py" "$config" --work-dir "$work_dir" \
    --launcher slurm --resume auto "${@:5}")
mkdir -p "$work_dir"
# 143: the training was ended by a signal
exec sbatch --partition="$partition" --job-name="$job_name" "${resources[@]}" --requeue --signal=TERM@60 \
    --open-mode=append --output="$work_dir/slurm_%j.log" ${sbatch_args[@]+"${sbatch_args[@]}"} \
    --wrap "export MASTER_PORT=\$((20000 + SLURM_JOB_ID % 20000))
$command
status=\$?
if [ \$status -eq 143 ]; then
    scontrol requeue \"\$SLURM_JOB_ID\"
fi
exit \$status"
