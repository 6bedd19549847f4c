# Stage 2 on CelebV-HQ (LEO, section 4.1): cLMDM on the motion codes of `animator`. One GPU, 64 sequences of 64 frames.
_base_ = [
    '../_base_/models/lmdm.py', '../_base_/datasets/motion_codes.py', '../_base_/datasets/generated_clips.py',
    '../_base_/schedules/lmdm.py', '../_base_/default_runtime.py'
]
data_root = 'data/celebv'
animator = dict(config='configs/lia/lia_celebv_256.py', checkpoint='work_dirs/lia_celebv_256')
size = 256
num_frames = 64
content_extractor = dict(_delete_=True, type='FaceIdentity')
