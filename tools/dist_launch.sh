#!/usr/bin/env bash
# Start a Python script once per GPU with torchrun: tools/dist_launch.sh SCRIPT.py GPUS [ARGUMENT ...]
#
# dist_train.sh and dist_test.sh call this. GPUS counts processes per node; without CUDA they run on the CPU.
#   one node      nothing to set; a free port is found (or PORT)
#   more nodes    NNODES, NODE_RANK and MASTER_ADDR on every node, and PORT if 29500 is in use
#   Slurm         nothing to set, in a batch script or a shell of salloc: srun starts one torchrun per node
# The exit status is 143 if a signal stopped the training and its checkpoint is written. docs/clusters.md has the
# variables.
set -euo pipefail

if [ $# -lt 2 ] || ! [[ $2 =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: $0 SCRIPT.py GPUS [ARGUMENT ...]" >&2
    exit 2
fi
script=$1
gpus=$2
shift 2

fail() {
    echo "error: $*" >&2
    exit 2
}

in_step() {  # started by srun; the shells of sbatch and of salloc have no step, or one of these two numbers
    case ${SLURM_STEP_ID:-} in '' | 4294967290 | 4294967291) return 1 ;; esac
}

if [ -z "${SLURM_JOB_ID:-}" ] || [ -n "${NNODES:-}" ]; then
    if [ "${NNODES:-1}" -gt 1 ] && { [ -z "${MASTER_ADDR:-}" ] || [ -z "${NODE_RANK:-}" ]; }; then
        fail "NNODES=$NNODES needs MASTER_ADDR, the address of the first node, and NODE_RANK, 0 to $((NNODES - 1));" \
            "set both on every node"
    fi
    if [ -n "${SLURM_JOB_ID:-}" ] && [ -z "${SLURMD_NODENAME:-}" ]; then
        fail "this host is no node of job $SLURM_JOB_ID; unset NNODES, and srun starts the processes on its nodes"
    fi
elif ! in_step; then
    # srun even for one node: signals before the time limit reach steps only, and salloc's shell may be on another
    # host. The step gets all cores and GPUs that the job has on each node, not the share of one task.
    per_node=()
    if [ -n "${SLURM_GPUS_PER_TASK:-}${SLURM_TRES_PER_TASK:-}" ] && [ -n "${SLURM_GPUS_ON_NODE:-}" ]; then
        per_node=(--gres=gpu:"$SLURM_GPUS_ON_NODE")  # or the job's GPUs per task apply to the one task
    fi
    for name in SLURM_CPUS_PER_TASK SRUN_CPUS_PER_TASK SLURM_CPU_BIND SLURM_CPU_BIND_TYPE SLURM_CPU_BIND_LIST \
        SLURM_NTASKS_PER_GPU SLURM_NTASKS_PER_SOCKET SLURM_NTASKS_PER_CORE SLURM_GPUS_PER_TASK SLURM_GPU_BIND \
        SLURM_TRES_PER_TASK SLURM_TRES_BIND SLURM_DISTRIBUTION SLURM_EXPORT_ENV; do
        unset "$name"
    done
    nodes=${SLURM_JOB_NUM_NODES:-1}
    exec srun --nodes="$nodes" --ntasks="$nodes" --ntasks-per-node=1 --cpu-bind=none \
        ${per_node[@]+"${per_node[@]}"} --kill-on-bad-exit=1 \
        bash "${BASH_SOURCE[0]}" "$script" "$gpus" "$@"
else
    nodes=${SLURM_STEP_NUM_NODES:-1}
    tasks=${SLURM_STEP_NUM_TASKS:-$nodes}
    if [ "$tasks" -ne "$nodes" ]; then
        fail "srun started $tasks tasks on $nodes nodes; use srun --ntasks-per-node=1, torchrun starts one process" \
            "per GPU itself"
    fi
    if [ "$nodes" -lt "${SLURM_JOB_NUM_NODES:-1}" ]; then
        fail "this is a step of srun on $nodes of the job's $SLURM_JOB_NUM_NODES nodes; start $0 without srun, or" \
            "set NNODES=1 to use this node alone"
    fi
    if [ "$nodes" -gt 1 ]; then
        NNODES=$nodes
        NODE_RANK=$SLURM_NODEID
        mapfile -t hosts < <(scontrol show hostnames "$SLURM_STEP_NODELIST")
        MASTER_ADDR=${hosts[0]}
        # neither jobs that share a node nor steps of one job may share a port
        PORT=${PORT:-$((20000 + (SLURM_JOB_ID + 101 * ${SLURM_STEP_ID:-0}) % 12000))}
    fi
fi

if [ "${NNODES:-1}" -eq 1 ] && [ -z "${PORT:-}" ]; then
    rendezvous=(--standalone)
else
    rendezvous=(--nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}"
        --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="${PORT:-29500}")
fi
if [ -n "${PYTHON:-}" ]; then
    read -r -a launcher <<< "$PYTHON"
    launcher+=(-m torch.distributed.run)
elif command -v torchrun > /dev/null; then
    launcher=(torchrun)
else
    fail "torchrun is not on the PATH; activate the environment that torch is installed in, or set PYTHON"
fi

# torchrun's status does not tell a stop from a crash: the training creates this file when it has stopped
LEOKIT_STOP_FILE=$(mktemp -u "${TMPDIR:-/tmp}/leokit-stopped-XXXXXXXX")
export LEOKIT_STOP_FILE
trap '' USR1  # inherited by torchrun, which would die of it; the training has a handler of its own
set -m        # torchrun and its processes become a group, to which signals are passed on
"${launcher[@]}" "${rendezvous[@]}" --nproc-per-node="$gpus" "$script" "$@" --launcher pytorch &
child=$!
# torchrun gives its processes 30 seconds after SIGTERM; SIGUSR1 has no such limit
trap 'kill -s TERM -- -"$child" 2> /dev/null || true' TERM HUP INT
trap 'pkill -USR1 -P "$child" 2> /dev/null || true' USR1
status=0
wait "$child" || status=$?
while kill -0 "$child" 2> /dev/null; do  # a signal ended the wait
    status=0
    wait "$child" || status=$?
done
if [ -e "$LEOKIT_STOP_FILE" ]; then
    rm -f "$LEOKIT_STOP_FILE"
    status=143
fi
exit "$status"
