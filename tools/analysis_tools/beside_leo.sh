#!/usr/bin/env bash
# Tables of docs/results/beside_leo.md: LEO's published samples, real clips, continuations of LEO's first frames.
#   bash tools/analysis_tools/beside_leo.sh faces|bodies MANIFEST OUT [CONTINUATIONS]
# CONTINUATIONS is a folder of leokit's, each at least 64 frames at 15 per second: the step `continue` of few_faces.sh
# or few_bodies.sh writes it. Without it leokit has no row.
# Entries of the manifest have category, identity, generated_by (LEO, or missing), first_frame (real, generated), and
# under source the rate and evenness of the recording and the file of the project page. OUT keeps features for the next
# time.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ $# -eq 3 ] || [ $# -eq 4 ] || { sed -n "2,3s/^# *//p" "${BASH_SOURCE[0]}" >&2; exit 2; }
part=$1 manifest=$2 out=$3 continuations=${4-}
[ $# -eq 3 ] || [ -e "$continuations/manifest.json" ] || {
    echo "CONTINUATIONS $continuations has no manifest.json; leokit generate --videos writes both" >&2; exit 2; }
leokit() { "${PYTHON:-python}" -m leokit "$@"; }
choose() { leokit data select --videos "$manifest" --out "$out/$1.json" --overwrite --where "${@:2}"; }

mkdir -p "$out"
case $part in
faces)
    choose faces_given category=face generated_by=LEO first_frame=real
    choose faces_celebv category=face generated_by=LEO first_frame=real source.file!=static/videos/grid-ffs256-real.mp4
    choose faces_ffs category=face generated_by=LEO source.file=static/videos/grid-ffs256-real.mp4
    choose faces_free category=face generated_by=LEO first_frame=generated
    # files play at 25 frames per second whatever the recording had; uneven ones have no rate
    choose faces_real category=face generated_by= "source.unique_fps>=15" source.motion!=uneven \
        --fps-from source.unique_fps --per-identity 2
    # every second frame of these is taken: even steps, as in LEO's
    choose faces_real_30 category=face generated_by= source.unique_fps=30.0 source.motion=even \
        --fps-from source.unique_fps --per-identity 2
    sets=("LEO, first frame given=$out/faces_given.json" "of these, CelebV-HQ=$out/faces_celebv.json"
          "of these, FaceForensics=$out/faces_ffs.json" "LEO, unconditional, FaceForensics=$out/faces_free.json"
          "real=$out/faces_real.json" "of these, recorded at 30=$out/faces_real_30.json")
    features=(--content FaceIdentity --motion FaceLandmarks);;
bodies)
    choose bodies_given category=body generated_by=LEO first_frame=real
    choose bodies_128 category=body generated_by=LEO source.file=static/videos/grid-128res-100-real.mp4
    choose bodies_256 category=body generated_by=LEO source.file=static/videos/grid-256-real.mp4
    choose bodies_free category=body generated_by=LEO first_frame=generated
    choose bodies_real category=body generated_by= identity=lia_taichi_driving1
    sets=("LEO, first frame given=$out/bodies_given.json" "of these, 128x128=$out/bodies_128.json"
          "of these, 256x256=$out/bodies_256.json" "LEO, unconditional=$out/bodies_free.json"
          "real, one person=$out/bodies_real.json")
    features=(--content ColorStatistics --motion EfficientNetLite0Features);;
*)
    echo "the part is $part, but must be faces or bodies" >&2; exit 2;;
esac
[ $# -eq 3 ] || sets+=("leokit, the same first frames=$continuations")
leokit analyze clips "${sets[@]}" "${features[@]}" --num-frames 64 --common-fps 15 --size 128 \
    --cache-dir "$out/features" --out "$out/$part.json" --page "$root/docs/results/beside_leo.md" --section "$part"
