# shellcheck shell=bash
# Sourced by slurm_train.sh and slurm_test.sh: reads the environment variables that docs/clusters.md lists.
# Sets the arrays resources, allocation_args (options of sbatch), step_args (options that only srun has), and python.

check_width() {  # VARIABLE VALUE
    if ! [[ $2 =~ ^[0-9]+$ ]]; then
        echo "error: $1=$2 must be a number" >&2
        exit 2
    fi
}

gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-8}
check_width GPUS "$gpus"
check_width GPUS_PER_NODE "$per_node"
if [ "$per_node" -gt "$gpus" ]; then
    per_node=$gpus
fi
read -r -a allocation_args <<< "${SBATCH_ARGS:-}"
step_args=()
target=allocation
read -r -a words <<< "${SRUN_ARGS:-}"
for word in ${words[@]+"${words[@]}"}; do
    case $word in
        --cpu-bind* | --gpu-bind* | --mem-bind* | --accel-bind* | --mpi* | --label | -l | --unbuffered | -u | --wait* | \
            --task-prolog* | --task-epilog* | --kill-on-bad-exit* | -K* | --overlap | --exact | --resv-ports* | \
            --container-* | --no-container-* | --disable-status | --epilog* | --prolog*) target=step ;;
        -*) target=allocation ;;
    esac  # a word without a dash is the value of the option before it
    if [ "$target" = step ]; then step_args+=("$word"); else allocation_args+=("$word"); fi
done

resources=(--ntasks="$gpus" --cpus-per-task="${CPUS_PER_TASK:-8}")
if [ "$per_node" -gt 0 ]; then
    resources+=(--ntasks-per-node="$per_node")
    case " ${allocation_args[*]-} " in
        *' --gpus'* | *' --gres'* | *' -G'*) ;;  # the user's own
        *) resources+=(--gres=gpu:"$per_node") ;;
    esac
fi
# the job may start without this shell's PATH (sbatch --export=NONE)
# shellcheck disable=SC2034
read -r -a python <<< "${PYTHON:-$(command -v python || echo python)}"
