# LIA-X (arXiv 2508.09959) at 512x512 with the widths of the public weights, scale 2, 911 million parameters (leokit
# convert lia-x.pt). Scale 1: channel_multiplier=2 max_channels=512 appearance_dim=512. The losses are LIA's; the paper
# also penalizes the motion codes.
_base_ = [
    '../_base_/models/animator.py', '../_base_/datasets/frame_pairs.py', '../_base_/schedules/animator.py',
    '../_base_/default_runtime.py'
]
data_root = 'data/faces_512'
size = 512
motion_dim = 40
appearance_dim = 1024
channel_multiplier = 4
max_channels = 1024
grid = 'corners'
face_crop = 'lia_x'

model = dict(
    encoder=dict(_delete_=True, type='LIAXEncoder'),
    flow_generator=dict(
        _delete_=True, type='LIAXFlowGenerator', warp_operator=dict(type='BilinearWarp', grid='$grid')))
