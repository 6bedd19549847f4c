#!/usr/bin/env bash
# The animator of docs/results/few_faces.md on real faces and SyntheticFaces, in three phases, then motion diffusion.
#   bash tools/analysis_tools/few_faces.sh MANIFEST OUT HELD_OUT [STEP ...]
# Videos of MANIFEST without a category are real (other categories train, too, but are not tested, nor part of motion
# diffusion), HELD_OUT is a list of identities "['A','B']".
# Steps, all by default: data heads expressions crops test codes motion. With the same OUT, a stopped phase resumes.
# Variables: REGIONS, the file of `leokit data regions` of the manifest, otherwise made; IDENTITIES of SyntheticFaces
# (2000); ITERATIONS of heads, expressions, crops and motion ("6000 12000 2000 10000"); TRAIN, options of leokit train
# ("--compile"); SETTINGS, more of the animators' --cfg-options (elastic_strength=0.02).
set -euo pipefail
[ $# -ge 3 ] || { sed -n "3s/^# *//p" "${BASH_SOURCE[0]}" >&2; exit 2; }
manifest=$1 out=$2 held_out=$3
shift 3
all_steps="data heads expressions crops test codes motion"
read -r -a iterations <<< "${ITERATIONS:-6000 12000 2000 10000}"

# mistakes are found here rather than after hours
refuse() { echo "$1" >&2; exit 2; }
[ -e "$manifest" ] || refuse "MANIFEST $manifest does not exist"
[[ $held_out == "["*[![:space:]]*"]" ]] || refuse "HELD_OUT must be a list of identities, \"['A','B']\", got $held_out"
[ ${#iterations[@]} -eq 4 ] || refuse "ITERATIONS needs 4 numbers, one for each training"
for count in "${iterations[@]}"; do
    [[ $count =~ ^[1-9][0-9]*$ ]] || refuse "ITERATIONS must be positive integers, got $count"
done
for step; do
    [[ $step =~ ^(${all_steps// /|})$ ]] || refuse "the step is $step, but must be one of $all_steps"
done

read -r -a steps <<< "$all_steps"
[ $# -gt 0 ] || set -- "${steps[@]}"
read -r -a train_options <<< "${TRAIN---compile}"
read -r -a settings <<< "${SETTINGS-elastic_strength=0.02}"
regions=${REGIONS:-$out/regions.npz} synthetic=$out/synthetic_faces
leokit() { "${PYTHON:-python}" -m leokit "$@"; }

data=("data_root=$out/manifest.json" "regions=[$regions,$out/synthetic_regions.npz]" "held_out=$held_out")
# config, with its settings, and checkpoint of the last phase that has been trained
animator() {
    animator=("$out/crops/lia_few_faces_128_mixed_crops.py" "$out/crops")
    [ -d "$out/crops" ] || animator=("$out/expressions/lia_few_faces_128_mixed_regions.py" "$out/expressions")
}
# train STEP CONFIG ITERATIONS [OPTION ...]: an animator, in the folder of the step
train() {
    leokit train "$2" --work-dir "$out/$1" --resume ${train_options[@]+"${train_options[@]}"} \
        --cfg-options "${data[@]}" "max_iters=$3" "${@:4}" ${settings[@]+"${settings[@]}"}
}

mkdir -p "$out"
for step; do
    case $step in
    data)
        leokit synthetic-faces --out "$synthetic" --style textured --behavior mixed --size 128 --clips-per-identity 1 \
            --num-identities "${IDENTITIES:-2000}" --num-frames 32 --split-fractions 1 0 0
        leokit data merge "$manifest" "$synthetic" --out "$out/manifest.json" --categories real synthetic --overwrite
        [ -n "${REGIONS:-}" ] || leokit data regions --videos "$manifest" --out "$regions"
        leokit data regions --ground-truth "$synthetic" --out "$out/synthetic_regions.npz";;
    heads)  # without the perceptual loss, which would be most of the sum
        train heads lia_few_faces_128_mixed_guided "${iterations[0]}" inpaint=True perceptual_weight=0 \
            expression_code_weight=0.01;;
    expressions)
        train expressions lia_few_faces_128_mixed_regions "${iterations[1]}" "load_from=$out/heads" region_weight=2.0 \
            expression_code_weight=0.05 "perceptual_begin=$((iterations[1] * 55 / 100))" \
            "perceptual_ramp=$((iterations[1] * 80 / 100))";;
    crops)
        train crops lia_few_faces_128_mixed_crops "${iterations[2]}" "load_from=$out/expressions" load_strict=False \
            region_weight=2.0 expression_code_weight=0.05;;
    test)
        animator
        leokit test "${animator[@]}";;
    codes)
        animator
        leokit extract "${animator[@]}" --videos "$manifest" --out "$out/codes";;
    motion)  # on real motion only; the merged manifest has the categories
        animator
        options=("animator.config=${animator[0]}" "animator.checkpoint=${animator[1]}" "data_root=$out/manifest.json"
                 "codes_dir=$out/codes" "held_out=$held_out" code_filters.category=real val_filters.category=real
                 test_filters.category=real)
        leokit train lmdm_few_faces --work-dir "$out/motion" --resume ${train_options[@]+"${train_options[@]}"} \
            --cfg-options "${options[@]}" "max_iters=${iterations[3]}"
        leokit test lmdm_few_faces "$out/motion" --cfg-options "${options[@]}" test_cfg.motion=generated;;
    esac
done
