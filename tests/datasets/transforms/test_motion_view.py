import torch

from leokit.registry import TRANSFORMS


def test_the_view_changes_colors_and_the_driving_frame_stays():
    view = TRANSFORMS.build(dict(type='MotionView', transforms=[dict(type='PairedColorJitter', brightness=0.5)]))
    inputs = dict(source=torch.rand(4, 3, 8, 8), driving=torch.rand(4, 3, 8, 8))
    out = view(inputs, torch.Generator().manual_seed(0))
    assert torch.equal(out['source'], inputs['source']) and torch.equal(out['driving'], inputs['driving'])
    assert out['motion_view'].shape == inputs['driving'].shape
    assert (out['motion_view'] - inputs['driving']).abs().mean() > 0.02
