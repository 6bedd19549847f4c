# The ablation without the Linear Motion Condition on CelebV-HQ (LEO, section 4.4): all codes are noised.
_base_ = './lmdm_celebv.py'
model = dict(motion_condition=dict(_delete_=True, type='NoMotionCondition'))
