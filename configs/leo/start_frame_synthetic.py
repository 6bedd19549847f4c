# The starting frame of SyntheticFaces (LEO, section 3.3), given codes from the cache of configs/leo/lmdm_synthetic.py;
# the test split has unseen identities. One GPU, 128 frames, bfloat16, some minutes with --compile.
_base_ = [
    '../_base_/models/start_frame.py', '../_base_/datasets/start_frames.py', '../_base_/schedules/start_frame.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/synthetic_faces'
animator = dict(config='configs/lia/lia_synthetic_64.py', checkpoint='work_dirs/lia_synthetic_64')
size = 64
batch_size = 128
num_workers = 8
max_iters = 5000
warmup = 200
learning_rate = 4e-4
ema_decay = 0.998

train_dataloader = dict(dataset=dict(frames=dict(in_memory=True)))
content_extractors = [dict(type='ColorStatistics'), dict(type='EfficientNetLite0Features')]
frames_per_code = 8
