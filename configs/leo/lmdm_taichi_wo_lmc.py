# The ablation without the Linear Motion Condition on TaichiHD (LEO, section 4.4): all codes are noised.
_base_ = './lmdm_taichi.py'
model = dict(motion_condition=dict(_delete_=True, type='NoMotionCondition'))
