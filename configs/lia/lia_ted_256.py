# LIA's public weights ted.pt (leokit convert ted.pt --config lia_ted_256), and stage 1 on TED-talks at 256x256:
# speakers from the waist up, so there is no face crop. Four GPUs, 8 pairs each.
_base_ = [
    '../_base_/models/animator.py', '../_base_/datasets/frame_pairs.py', '../_base_/schedules/animator.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/ted'
size = 256
