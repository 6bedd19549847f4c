# Stage 2 on bodies of few identities: cLMDM on the motion codes of configs/lia/lia_few_bodies_128_inpaint.py. One GPU,
# 256 sequences of 32 frames, minutes. The test continues the first frames of the held-out people, since a fifth of a
# short clip has fewer frames than the window; content is compared by colors, as in the paper for bodies.
_base_ = './lmdm_few_faces.py'
data_root = 'data/bodies'
animator = dict(
    config='configs/lia/lia_few_bodies_128_inpaint.py', checkpoint='work_dirs/lia_few_bodies_128_inpaint')
code_filters = dict(_delete_=True, exclude_identities='$held_out')
val_filters = dict(_delete_=True, exclude_identities='$held_out')
test_filters = dict(_delete_=True, identities='$held_out')
content_extractor = dict(_delete_=True, type='ColorStatistics')
