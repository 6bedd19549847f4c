#!/usr/bin/env bash
# Submit a training to Slurm: tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [ARGUMENT OF train.py ...]
#
# The job resumes by itself: a minute before its time limit, or when it is preempted, Slurm sends SIGTERM, the training
# saves a checkpoint and exits, the job is queued again and resumes from the checkpoint. A job that fails is not queued
# again.
# Environment: GPUS (8, in total), GPUS_PER_NODE (8), CPUS_PER_TASK (8), SRUN_ARGS or SBATCH_ARGS (e.g.
# "--time=24:00:00 --account=x"), PYTHON (python), FOREGROUND=1 to follow the log, MAX_STALLS (3).
# GPUS_PER_NODE=0 trains on the CPU with GPUS processes. docs/clusters.md explains them.
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
if [ ! -e "$tools/slurm_common.sh" ]; then
    echo "error: this script submits a job itself; run 'bash tools/slurm_train.sh ...' without sbatch" >&2
    exit 2
fi
# shellcheck source=tools/slurm_common.sh
source "$tools/slurm_common.sh"
mkdir -p "$work_dir"

# printf %q: the command is passed as text, and its arguments may contain blanks and quotes
command=$(printf '%q ' bash "$tools/../leokit/engine/slurm_job.sh" "$work_dir" srun --kill-on-bad-exit=1 \
    ${step_args[@]+"${step_args[@]}"} "${python[@]}" -u "$tools/train.py" "$config" --work-dir "$work_dir" \
    --launcher slurm --resume auto "${@:5}")
submit=(sbatch --partition="$partition" --job-name="$job_name" "${resources[@]}" --requeue --signal=TERM@60
    --open-mode=append --output="$work_dir/slurm_%j.log" ${allocation_args[@]+"${allocation_args[@]}"}
    --wrap "$command")
if [ "${FOREGROUND:-0}" != 1 ]; then
    exec "${submit[@]}"
fi

job=$("${submit[@]}" --parsable)
job=${job%%;*}
log=$work_dir/slurm_$job.log
echo "job $job: $log (Ctrl-C ends this display, 'scancel $job' the job)"
tail -n +1 -F "$log" 2> /dev/null &
trap 'kill %1' EXIT
while [ -n "$(squeue -h -j "$job" -o %T 2> /dev/null)" ]; do sleep 2; done
sleep 2  # for the last lines
state=$(scontrol show job -o "$job")
[[ $state =~ JobState=([A-Z_]+) ]] && echo "job $job: ${BASH_REMATCH[1]}"
[[ $state =~ ExitCode=([0-9]+): ]] && exit "${BASH_REMATCH[1]}"
