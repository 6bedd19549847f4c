# The ablation of configs/ablations/lmc.py on codes of few real identities, evaluated on the last fifth of every clip.
_base_ = './lmc.py'
title = 'The Linear Motion Condition on few real faces, in code space'
base = 'configs/leo/lmdm_few_faces.py'
