# Stage 2 on VoxCeleb, which the paper does not use: cLMDM on the motion codes of `animator`, such as LIA's public
# weights vox.pt (leokit convert vox.pt --config lia_vox_256). One GPU, 64 sequences of 64 frames.
_base_ = [
    '../_base_/models/lmdm.py', '../_base_/datasets/motion_codes.py', '../_base_/datasets/generated_clips.py',
    '../_base_/schedules/lmdm.py', '../_base_/default_runtime.py'
]
data_root = 'data/vox'
animator = dict(config='configs/lia/lia_vox_256.py', checkpoint='work_dirs/lia_vox_256')
size = 256
num_frames = 64
content_extractor = dict(_delete_=True, type='FaceIdentity')
