#!/usr/bin/env bash
# docs/results/few_bodies.md: an animator of bodies in two phases, motion diffusion, starting codes and frames.
#   bash tools/analysis_tools/few_bodies.sh MANIFEST OUT [STEP ...]
# Steps, all by default: animator test codes motion unconditional continue. With the same OUT, a stopped training
# resumes. `unconditional` trains on the clips of MANIFEST that have 15 frames per second. `continue` writes
# OUT/continuations, which beside_leo.sh measures, from the first frames of LEO's bodies (generated_by=LEO,
# first_frame=real) in LEO_CLIPS, a manifest (MANIFEST).
# Variables: HELD_OUT, a list of identities "['A','B']" (the first ten by the SHA-1 of their names); ITERATIONS of the
# two phases, motion, starting codes and starting frames ("10000 6000 10000 20000 6000"); TRAIN, options of leokit train
# ("--compile"); SETTINGS, MOTION_SETTINGS, FRAME_SETTINGS and LEO_SETTINGS, more --cfg-options of the animators, of
# motion, of starting frames and of the benchmark of unconditional videos.
set -euo pipefail
[ $# -ge 2 ] || { sed -n "3s/^# *//p" "${BASH_SOURCE[0]}" >&2; exit 2; }
manifest=$1 out=$2
shift 2
all_steps="animator test codes motion unconditional continue"
read -r -a iterations <<< "${ITERATIONS:-10000 6000 10000 20000 6000}"
read -r -a settings <<< "${SETTINGS-}"
read -r -a frame_settings <<< "${FRAME_SETTINGS-}"
read -r -a leo_settings <<< "${LEO_SETTINGS-}"
source "$(dirname "${BASH_SOURCE[0]}")/few_clips_common.sh"
check_arguments 5 "$all_steps" "$@"
# the first ten identities by the SHA-1 of their names
first_by_hash() {
    "${PYTHON:-python}" - "$manifest" <<'PYTHON'
import sys
from hashlib import sha1

from leokit.data_tools.data_items import read_items

names = {item.entry.identity for item in read_items(sys.argv[1])}
names = sorted(names, key=lambda name: sha1(name.encode()).hexdigest())[:10]
print(f'[{",".join(map(repr, names))}]')
PYTHON
}
held_out=${HELD_OUT-$(first_by_hash)}
check_held_out
# held_out_in MANIFEST: the held-out identities that it shows
held_out_in() {
    "${PYTHON:-python}" - "$held_out" "$1" <<'PYTHON'
import sys
from ast import literal_eval

from leokit.data_tools.data_items import read_items

names = {item.entry.identity for item in read_items(sys.argv[2])}
print(f'[{",".join(repr(name) for name in literal_eval(sys.argv[1]) if name in names)}]')
PYTHON
}
# frames and codes match only in clips that have the frame rate of the codes
select_frames() {
    leokit data select --videos "$manifest" --where "fps>=14.9" "fps<=15.1" --out "$out/frames.json" --overwrite
    frames_held_out=$(held_out_in "$out/frames.json")
    [ "$frames_held_out" != "[]" ] ||
        refuse "none of HELD_OUT $held_out has clips with 15 frames per second, on which \`unconditional\` is tested"
}

read -r -a steps <<< "$all_steps"
[ $# -gt 0 ] || set -- "${steps[@]}"
animator=("$out/inpaint/lia_few_bodies_128_inpaint.py" "$out/inpaint")  # the config has its settings
data=("data_root=$manifest" "held_out=$held_out")
animator_key=("animator.config=${animator[0]}" "animator.checkpoint=${animator[1]}")

mkdir -p "$out"
# before anything is trained
[[ " $* " != *" continue "* ]] || select_given face
[[ " $* " != *" unconditional "* ]] || select_frames
for step; do
    case $step in
    animator)
        train warp lia_few_bodies_128 "${iterations[0]}" "${data[@]}" ${settings[@]+"${settings[@]}"}
        train inpaint lia_few_bodies_128_inpaint "${iterations[1]}" "${data[@]}" "load_from=$out/warp" \
            "perceptual_begin=$((iterations[1] * 2 / 3))" "perceptual_ramp=$((iterations[1] * 13 / 15))" \
            ${settings[@]+"${settings[@]}"};;
    test)  # worst_...: the tenth with the largest error; the sheet shows whether its limbs are torn
        leokit test "${animator[@]}" --work-dir "$out/animator_test" --out "$out/animator.json"
        leokit test "${animator[@]}" --work-dir "$out/animator_test" --out "$out/animator_by_identity.json" \
            --cfg-options test_evaluator.group_key=identity
        leokit analyze contact-sheet "${animator[@]}" --order worst --rows 24 --out "$out/worst_pairs.png";;
    codes)
        leokit extract "${animator[@]}" --videos "$manifest" --out "$out/codes";;
    motion)
        train_motion lmdm_few_bodies "${iterations[2]}" "data_root=$manifest";;
    unconditional)
        frames=("data_root=$out/frames.json" "held_out=$frames_held_out")
        train start_code start_code_few_bodies "${iterations[3]}" "${frames[@]}" "codes_dir=$out/codes" \
            "${animator_key[@]}"
        train start_frame start_frame_few_bodies "${iterations[4]}" "${frames[@]}" "codes_dir=$out/codes" \
            "${animator_key[@]}" ${frame_settings[@]+"${frame_settings[@]}"}
        trained=()
        for part in motion_diffusion start_code start_frame; do
            name=${part/_diffusion/}
            trained+=("$part.checkpoint=$out/$name"
                      "$part.config=$out/$name/${part/motion_diffusion/lmdm}_few_bodies.py")
        done
        leokit test leo_few_bodies --work-dir "$out/leo" --out "$out/leo.json" --cfg-options "${frames[@]}" \
            "${animator_key[@]}" "${trained[@]}" ${leo_settings[@]+"${leo_settings[@]}"};;
    continue)
        continue_given lmdm_few_bodies;;
    esac
done
