# Stage 2 on SyntheticFaces: cLMDM on the motion codes of `animator`. One GPU, 256 sequences of 32 frames, minutes.
_base_ = [
    '../_base_/models/lmdm.py', '../_base_/datasets/motion_codes.py', '../_base_/datasets/generated_clips.py',
    '../_base_/schedules/lmdm.py', '../_base_/default_runtime.py'
]
data_root = 'data/synthetic_faces'
animator = dict(config='configs/lia/lia_synthetic_64.py', checkpoint='work_dirs/lia_synthetic_64')
size = 64
num_frames = 32
sequences_per_batch = 256
max_iters = 20_000
val_interval = 4_000
learning_rate = 4e-4
