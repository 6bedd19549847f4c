# What few_faces.sh and few_bodies.sh have in common; they source it. It reads their variables `manifest`, `out`,
# `held_out`, `iterations` and `animator`, config and checkpoint of the trained animator.
read -r -a train_options <<< "${TRAIN---compile}"
read -r -a motion_settings <<< "${MOTION_SETTINGS-}"
leokit() { "${PYTHON:-python}" -m leokit "$@"; }
refuse() { echo "$1" >&2; exit 2; }

# mistakes are found here rather than after hours
check_held_out() {
    [[ $held_out == "["*[![:space:]]*"]" ]] ||
        refuse "HELD_OUT must be a list of identities, \"['A','B']\", got $held_out"
}
# check_arguments TRAININGS STEPS [STEP ...]
check_arguments() {
    local number=$1 all_steps=$2 count step
    [ -e "$manifest" ] || refuse "MANIFEST $manifest does not exist"
    [ -e "${LEO_CLIPS:-$manifest}" ] || refuse "LEO_CLIPS $LEO_CLIPS does not exist"
    [ ${#iterations[@]} -eq "$number" ] || refuse "ITERATIONS needs $number numbers, one for each training"
    for count in "${iterations[@]}"; do
        [[ $count =~ ^[1-9][0-9]*$ ]] || refuse "ITERATIONS must be positive integers, got $count"
    done
    for step in "${@:3}"; do
        [[ $step =~ ^(${all_steps// /|})$ ]] || refuse "the step is $step, but must be one of $all_steps"
    done
}

# train FOLDER CONFIG ITERATIONS [OPTION ...]: continues in its folder where it was stopped
train() {
    leokit train "$2" --work-dir "$out/$1" --resume ${train_options[@]+"${train_options[@]}"} \
        --cfg-options "max_iters=$3" "${@:4}"
}

# train_motion CONFIG ITERATIONS [OPTION ...]: motion diffusion on the codes, and its test
train_motion() {
    local options=("animator.config=${animator[0]}" "animator.checkpoint=${animator[1]}" "codes_dir=$out/codes"
                   "held_out=$held_out" "${@:3}" ${motion_settings[@]+"${motion_settings[@]}"})
    train motion "$1" "$2" "${options[@]}"
    leokit test "$1" "$out/motion" --work-dir "$out/motion_test" --out "$out/motion.json" \
        --cfg-options "max_iters=$2" "${options[@]}" test_cfg.motion=generated
}

# select_given CATEGORY: LEO's clips whose first frame was given, of any category but this
select_given() {
    leokit data select --videos "${LEO_CLIPS:-$manifest}" --where generated_by=LEO first_frame=real "category!=$1" \
        --out "$out/given.json" --overwrite
}

# continue_given CONFIG: continuations of these first frames; 128 frames are at least 64 at 15 per second, as
# beside_leo.sh measures, at any rate up to 30
continue_given() {
    leokit generate "$out/motion/$1.py" "$out/motion" --animator-config "${animator[0]}" \
        --animator-checkpoint "${animator[1]}" --videos "$out/given.json" --num-frames 128 --out "$out/continuations"
}
