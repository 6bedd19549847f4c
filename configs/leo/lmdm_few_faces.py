# Stage 2 on few identities: cLMDM on the motion codes of configs/lia/lia_few_faces_128.py. One GPU, 256 sequences of 32
# frames, minutes.
_base_ = [
    '../_base_/models/lmdm.py', '../_base_/datasets/motion_codes.py', '../_base_/datasets/generated_clips.py',
    '../_base_/schedules/lmdm.py', '../_base_/default_runtime.py'
]
data_root = 'data/faces'
animator = dict(config='configs/lia/lia_few_faces_128.py', checkpoint='work_dirs/lia_few_faces_128')
size = 128
num_frames = 32
sequences_per_batch = 256
max_iters = 10_000
val_interval = 2_000
learning_rate = 4e-4

held_out = []
code_filters = dict(_delete_=True, segment=(0.0, 0.8), exclude_identities='$held_out')

# the last fifth of all clips of the training identities
test_filters = dict(_delete_=True, segment=(0.8, 1.0), exclude_identities='$held_out')
# with tens of clips there are none left for validation, which uses clips of the training instead
val_filters = dict(_delete_=True, segment=(0.0, 0.8), exclude_identities='$held_out')
test_clips = 'all'
content_extractor = dict(_delete_=True, type='FaceIdentity')
# on tens of clips, features of frames do not distinguish motion from none, but their changes do
test_evaluator = [
    dict(type='VideoDistances', extractor='$video_extractor', protocol='$protocol'),
    dict(type='VideoDistances', extractor=dict(type='FeatureChanges'), protocol='$protocol'),
    dict(type='AverageContentDistance', extractor='$content_extractor'),
]
