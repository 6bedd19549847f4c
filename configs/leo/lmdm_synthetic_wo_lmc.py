# The ablation without the Linear Motion Condition on SyntheticFaces (LEO, section 4.4): all codes are noised.
_base_ = './lmdm_synthetic.py'
model = dict(motion_condition=dict(_delete_=True, type='NoMotionCondition'))
