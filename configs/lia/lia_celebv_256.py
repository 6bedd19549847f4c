# Stage 1 on CelebV-HQ at 256x256 (LEO, section 4.1; LIA, section 4.1): four GPUs, 8 pairs each.
_base_ = [
    '../_base_/models/animator.py', '../_base_/datasets/frame_pairs.py', '../_base_/schedules/animator.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/celebv'
size = 256
face_crop = 'celebv_hq'
