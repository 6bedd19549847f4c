import torch

from leokit.losses import WarpedSourceLoss
from leokit.models import Animator

EXACT = dict(type='BilinearWarp', grid='exact')


def test_zero_flow_gives_the_difference_of_the_images():
    source, driving = torch.rand(2, 2, 3, 16, 16).unbind()
    loss = WarpedSourceLoss(warp_operator=EXACT)
    torch.testing.assert_close(loss(source, driving, torch.zeros(2, 2, 16, 16)), (source - driving).abs().mean())


def test_the_loss_is_float32_whatever_the_images_are():
    images = torch.rand(2, 1, 3, 16, 16)
    flow = torch.zeros(1, 2, 16, 16)
    for dtype in (torch.bfloat16, torch.float64):
        source, driving = images.to(dtype).unbind()
        loss = WarpedSourceLoss(warp_operator=EXACT)(source, driving, flow)
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, (source.float() - driving.float()).abs().mean())


def test_the_true_flow_has_zero_loss_and_large_motion_a_gradient():
    # a smooth picture moved right by 8 of 32 pixels: it is found 8 pixels further left, half of the way to the edge
    ramp = torch.linspace(0, 3.1, 64)
    wide = (ramp.sin()[None, :] * ramp.cos()[:, None]).expand(1, 3, 64, 64)
    source, driving = wide[..., :32, 8:40], wide[..., :32, :32]
    loss = WarpedSourceLoss(warp_operator=EXACT)

    def cost(shift):
        flow = torch.zeros(1, 2, 32, 32)
        flow[:, 0] = shift
        return (loss.warp(source, flow, torch.ones(1, 1, 32, 32)) - driving)[..., 10:-10].abs().mean()

    assert cost(-0.5) < 1e-5 < cost(0.0)
    flows = [torch.zeros(1, 2, side, side, requires_grad=True) for side in (8, 16, 32)]
    loss(source, driving, *flows).backward()
    for flow in flows:
        # going left lowers the cost, on every side of the pyramid
        assert flow.grad[:, 0, :, flow.shape[-1] // 3:].sum() > 0


def test_the_animator_passes_the_flows():
    losses = [dict(type='L1Loss'), dict(type='WarpedSourceLoss', weight=0.5)]
    animator = Animator(32, 16, motion_dim=4, max_channels=8, training=dict(losses=losses))
    source, driving = torch.rand(2, 2, 3, 32, 32).unbind()
    terms = animator(dict(source=source, driving=driving), mode='loss')
    assert set(terms) == {'loss_l1', 'loss_warp'}
    terms['loss_warp'].backward()
    assert animator.flow_generator.levels[0].to_flow.conv.weight.grad.abs().sum() > 0


def test_resolutions_are_averaged_not_summed():
    """By hand: two zero flows, at full and at half resolution."""
    source, driving = torch.rand(2, 2, 3, 16, 16).unbind()
    halved = [image.unflatten(3, (8, 2)).unflatten(2, (8, 2)).mean((3, 5)) for image in (source, driving)]
    expected = ((source - driving).abs().mean() + (halved[0] - halved[1]).abs().mean()) / 2
    flows = torch.zeros(2, 2, 8, 8), torch.zeros(2, 2, 16, 16)
    torch.testing.assert_close(WarpedSourceLoss(warp_operator=EXACT)(source, driving, *flows), expected)
