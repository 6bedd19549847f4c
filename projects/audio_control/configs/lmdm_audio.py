# Stage 2 on SyntheticFaces under log-mel features of the sound, through a small convolutional encoder; everything else
# as under head poses.
_base_ = ['../../pose_control/configs/lmdm_pose.py']
controls = 'data/synthetic_faces_128_sound.npz'
control_dim = 40
control_encoder = dict(_delete_=True, type='ConvControlEncoder', control_dim='$control_dim', dim=64, depth=3)
