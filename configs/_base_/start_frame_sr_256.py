# The second stage of the starting frame at 256x256, shared by the datasets of LEO: super-resolution of the 64x64
# frames of the first stage, given the same codes. One GPU, 16 frames.
_base_ = [
    './models/start_frame_sr.py', './datasets/start_frames.py', './schedules/start_frame.py', './default_runtime.py'
]
size = 256
batch_size = 16
max_iters = 300_000
test_batch_size = 16

test_cfg = dict(first_stage='$first_stage')
