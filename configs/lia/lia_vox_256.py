# LIA's public weights vox.pt (leokit convert vox.pt --config lia_vox_256), and stage 1 on VoxCeleb at 256x256: head and
# shoulders, in boxes with a margin of 10 % that are squeezed to squares. Four GPUs, 8 pairs each.
_base_ = [
    '../_base_/models/animator.py', '../_base_/datasets/frame_pairs.py', '../_base_/schedules/animator.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/vox'
size = 256
face_crop = 'voxceleb'
