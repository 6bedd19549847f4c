# The motion autoencoder of FLOAT (arXiv 2412.01064), which is LIA's network at 512x512 (leokit convert float.pth), and
# its training. Squares of 1.6 times the face box; motion is transferred absolutely. Four GPUs, 8 pairs each.
_base_ = [
    '../_base_/models/animator.py', '../_base_/datasets/frame_pairs.py', '../_base_/schedules/animator.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/faces_512'
size = 512
face_crop = 'float'
transfer_mode = 'absolute'
