# The starting codes of few bodies, from the cache of configs/leo/lmdm_few_bodies.py. One GPU, 1024 codes, minutes.
_base_ = './start_code_synthetic.py'
data_root = 'data/bodies'
animator = dict(
    config='configs/lia/lia_few_bodies_128_inpaint.py', checkpoint='work_dirs/lia_few_bodies_128_inpaint')
# held-out identities for the test; as in lmdm_few_bodies.py, validation uses the clips of the training
held_out = []
code_filters = dict(_delete_=True, exclude_identities='$held_out')
val_filters = dict(_delete_=True, exclude_identities='$held_out')
held_out_filters = dict(_delete_=True, identities='$held_out')
