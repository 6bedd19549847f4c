#!/usr/bin/env bash
# The animator of docs/results/few_faces.md on real faces and SyntheticFaces, in three phases, then motion diffusion.
#   bash tools/analysis_tools/few_faces.sh MANIFEST OUT HELD_OUT [STEP ...]
# Videos of MANIFEST without a category are real (other categories train, too, but are not tested, nor part of motion
# diffusion), HELD_OUT is a list of identities "['A','B']".
# Steps, by default all up to motion: data heads expressions crops test codes motion continue large_data large. With the
# same OUT, a stopped phase resumes. `continue` writes OUT/continuations, which beside_leo.sh measures, from the first
# frames of LEO's faces (generated_by=LEO, first_frame=real) in LEO_CLIPS, a manifest (MANIFEST). `large_data` and
# `large` double the resolution of the animator, train it on at 256x256, and test it.
# Variables: REGIONS, the file of `leokit data regions` of the manifest, otherwise made; IDENTITIES of SyntheticFaces
# (2000); ITERATIONS of heads, expressions, crops, motion and large ("6000 12000 2000 10000 8000"); TRAIN, options of
# leokit train ("--compile"); SETTINGS and MOTION_SETTINGS, more --cfg-options of the animators (elastic_strength=0.02) and of motion
# diffusion.
set -euo pipefail
[ $# -ge 3 ] || { sed -n "3s/^# *//p" "${BASH_SOURCE[0]}" >&2; exit 2; }
manifest=$1 out=$2 held_out=$3
shift 3
default_steps="data heads expressions crops test codes motion"
read -r -a iterations <<< "${ITERATIONS:-6000 12000 2000 10000 8000}"
read -r -a settings <<< "${SETTINGS-elastic_strength=0.02}"
source "$(dirname "${BASH_SOURCE[0]}")/few_clips_common.sh"
check_held_out
check_arguments 5 "$default_steps continue large_data large" "$@"

read -r -a steps <<< "$default_steps"
[ $# -gt 0 ] || set -- "${steps[@]}"
regions=${REGIONS:-$out/regions.npz} synthetic=$out/synthetic_faces

data=("data_root=$out/manifest.json" "regions=[$regions,$out/synthetic_regions.npz]" "held_out=$held_out")
large_data=("data_root=$out/manifest_256.json" "regions=[$regions,$out/synthetic_regions_256.npz]" "held_out=$held_out")
# add_synthetic SIZE FOLDER MANIFEST REGIONS: SyntheticFaces of a size, and their regions, in a manifest with the videos
add_synthetic() {
    leokit synthetic-faces --out "$2" --style textured --behavior mixed --size "$1" --clips-per-identity 1 \
        --num-identities "${IDENTITIES:-2000}" --num-frames 32 --split-fractions 1 0 0
    leokit data merge "$manifest" "$2" --out "$3" --categories real synthetic --overwrite
    leokit data regions --ground-truth "$2" --out "$4"
}
# config, with its settings, and checkpoint of the last phase that has been trained
animator() {
    animator=("$out/crops/lia_few_faces_128_mixed_crops.py" "$out/crops")
    [ -d "$out/crops" ] || animator=("$out/expressions/lia_few_faces_128_mixed_regions.py" "$out/expressions")
}
# train_animator STEP CONFIG ITERATIONS [OPTION ...]: in the folder of the step
train_animator() { train "$1" "$2" "$3" "${data[@]}" "${@:4}" ${settings[@]+"${settings[@]}"}; }

mkdir -p "$out"
[[ " $* " != *" continue "* ]] || select_given body  # before anything is trained
for step; do
    case $step in
    data)
        [ -n "${REGIONS:-}" ] || leokit data regions --videos "$manifest" --out "$regions"
        add_synthetic 128 "$synthetic" "$out/manifest.json" "$out/synthetic_regions.npz";;
    heads)  # without the perceptual loss, which would be most of the sum
        train_animator heads lia_few_faces_128_mixed_guided "${iterations[0]}" inpaint=True perceptual_weight=0 \
            expression_code_weight=0.01;;
    expressions)
        train_animator expressions lia_few_faces_128_mixed_regions "${iterations[1]}" "load_from=$out/heads" \
            region_weight=2.0 expression_code_weight=0.05 "perceptual_begin=$((iterations[1] * 55 / 100))" \
            "perceptual_ramp=$((iterations[1] * 80 / 100))";;
    crops)
        train_animator crops lia_few_faces_128_mixed_crops "${iterations[2]}" "load_from=$out/expressions" \
            load_strict=False region_weight=2.0 expression_code_weight=0.05;;
    test)
        animator
        leokit test "${animator[@]}" --work-dir "$out/animator_test" --out "$out/animator.json";;
    codes)
        animator
        leokit extract "${animator[@]}" --videos "$manifest" --out "$out/codes";;
    motion)  # on real motion only; the merged manifest has the categories
        animator
        train_motion lmdm_few_faces "${iterations[3]}" "data_root=$out/manifest.json" code_filters.category=real \
            val_filters.category=real test_filters.category=real;;
    continue)
        animator
        continue_given lmdm_few_faces;;
    large_data)
        add_synthetic 256 "${synthetic}_256" "$out/manifest_256.json" "$out/synthetic_regions_256.npz";;
    large)  # sharp at once: the phases before have opened the mouths
        animator
        large=lia_few_faces_256_mixed
        leokit grow "${animator[1]}" --config "$large" --share 1 --out "$out/grown.pth"
        train large "$large" "${iterations[4]}" "${large_data[@]}" "load_from=$out/grown.pth" region_weight=2.0 \
            expression_code_weight=0.05 perceptual_begin=0 "perceptual_ramp=$((iterations[4] / 4 + 1))" \
            ${settings[@]+"${settings[@]}"}
        leokit test "$out/large/$large.py" "$out/large" --work-dir "$out/large_test" --out "$out/large.json";;
    esac
done
