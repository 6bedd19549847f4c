#!/usr/bin/env bash
# Run a training inside a Slurm job that queues itself again: slurm_job.sh WORK_DIR COMMAND [ARGUMENT ...]
#
# The job is queued again only after a stop: the training was told to end and wrote a checkpoint, or it was told to end
# before it had started. An exit status cannot tell this apart from a crash: srun ends the other ranks of a crashed one
# with SIGTERM, which gives the same status. So the training creates the file $LEOKIT_STOP_FILE once all ranks have
# stopped. Stops in a row that leave no new checkpoint are counted; MAX_STALLS (3) of them end the job.
set -uo pipefail

work_dir=$1
shift
seconds_before_limit=120  # Slurm may send a signal a minute earlier than --signal says
stalls_file=$work_dir/.slurm_stalls_$SLURM_JOB_ID
export LEOKIT_STOP_FILE=$work_dir/.slurm_stopped_$SLURM_JOB_ID
unset SLURM_EXPORT_ENV  # of sbatch --export=NONE: srun would start the tasks without the variable above
# since Slurm 22.05 srun does not take over the cores per task of the allocation
[ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK

newest_checkpoint() {
    cat "$work_dir/last_checkpoint" 2> /dev/null
}

is_ending() {  # Slurm ends this job: it is preempted, or its time is up
    local job end
    job=$(scontrol show job -o "$SLURM_JOB_ID") || return 1
    [[ $job =~ PreemptTime=[0-9] ]] && return 0
    [[ $job =~ EndTime=([0-9T:-]+) ]] && end=$(date -d "${BASH_REMATCH[1]}" +%s) || return 1
    [ $((end - $(date +%s))) -le "$seconds_before_limit" ]
}

rm -f "$LEOKIT_STOP_FILE"
before=$(newest_checkpoint)
"$@"
status=$?
stopped=no
if [ -e "$LEOKIT_STOP_FILE" ]; then
    stopped=yes
fi
rm -f "$LEOKIT_STOP_FILE"
if [ "$status" -ne 143 ] || { [ "$stopped" = no ] && ! is_ending; }; then
    rm -f "$stalls_file"
    [ "$status" -eq 0 ] || echo "not queued again: the command failed with status $status" >&2
    exit "$status"
fi
if [ "$stopped" = yes ] && [ "$(newest_checkpoint)" != "$before" ]; then
    rm -f "$stalls_file"
else
    stalls=$(($(cat "$stalls_file" 2> /dev/null || echo 0) + 1))
    if [ "$stalls" -ge "${MAX_STALLS:-3}" ]; then
        rm -f "$stalls_file"
        echo "error: not queued again: stopped $stalls times in a row without a new checkpoint; give the job more" \
            "time (SBATCH_ARGS=--time=...)" >&2
        exit "$status"
    fi
    echo "$stalls" > "$stalls_file"
fi
scontrol requeue "$SLURM_JOB_ID"
exit "$status"
