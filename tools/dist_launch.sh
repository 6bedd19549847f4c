#!/usr/bin/env bash
# Start a Python script once per GPU with torchrun: tools/dist_launch.sh SCRIPT.py GPUS [ARGUMENT ...]
#
# dist_train.sh and dist_test.sh call this. GPUS counts processes per node; without CUDA they run on the CPU.
#   one node      nothing to set; a free port is found (or PORT)
#   more nodes    NNODES, NODE_RANK and MASTER_ADDR on every node, and PORT if 29500 is in use
#   Slurm         nothing to set, inside an sbatch or salloc allocation: one torchrun per node is started with srun
set -euo pipefail

if [ $# -lt 2 ] || ! [[ $2 =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: $0 SCRIPT.py GPUS [ARGUMENT ...]" >&2
    exit 2
fi
script=$1
gpus=$2
shift 2

# an allocation of several nodes, but only this process so far: start one per node
if [ "${SLURM_JOB_NUM_NODES:-1}" -gt 1 ] && [ "${SLURM_STEP_NUM_NODES:-1}" -eq 1 ] && [ -z "${NNODES:-}" ]; then
    exec srun --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 --kill-on-bad-exit=1 \
        "${BASH_SOURCE[0]}" "$script" "$gpus" "$@"
fi

# one of several processes that srun started: find the rank of this node, and the first node
if [ "${SLURM_STEP_NUM_NODES:-1}" -gt 1 ] && [ -z "${NNODES:-}" ]; then
    if [ "${SLURM_STEP_NUM_TASKS:-$SLURM_STEP_NUM_NODES}" -ne "$SLURM_STEP_NUM_NODES" ]; then
        echo "error: srun started $SLURM_STEP_NUM_TASKS tasks on $SLURM_STEP_NUM_NODES nodes;" \
            "use srun --ntasks-per-node=1, torchrun starts one process per GPU itself" >&2
        exit 2
    fi
    NNODES=$SLURM_STEP_NUM_NODES
    NODE_RANK=$SLURM_NODEID
    mapfile -t hosts < <(scontrol show hostnames "$SLURM_STEP_NODELIST")
    MASTER_ADDR=${hosts[0]}
    # jobs that share a node must not share a port
    PORT=${PORT:-$((20000 + SLURM_JOB_ID % 20000))}
fi

if [ "${NNODES:-1}" -eq 1 ] && [ -z "${PORT:-}" ]; then
    rendezvous=(--standalone)
else
    rendezvous=(--nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}"
        --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="${PORT:-29500}")
fi
if ! command -v torchrun > /dev/null; then
    echo "error: torchrun is not on the PATH; activate the environment that torch is installed in" >&2
    exit 2
fi
exec torchrun "${rendezvous[@]}" --nproc-per-node="$gpus" "$script" "$@" --launcher pytorch
