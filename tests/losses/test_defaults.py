"""Default values, as in the papers."""

from support.signatures import defaults

from leokit.losses import (
    ChangedPixelLoss, ExpressionCodeLoss, FaceCropPerceptualLoss, FaceFlowLoss, FaceRegionLoss, L1Loss,
    NonSaturatingLoss, PerceptualLoss, R1Penalty, WarpedSourceLoss)


def test_losses():
    for loss, name in ((L1Loss, 'l1'), (NonSaturatingLoss, 'adversarial'), (WarpedSourceLoss, 'warp')):
        assert defaults(loss) == dict(weight=1.0, name=name)
    assert defaults(ChangedPixelLoss) == dict(weight=1.0, name='changed', floor=0.02)
    # FOMM and LIA: weight 10, an image pyramid of 4 scales; StyleGAN2: gamma 10, every 16 iterations
    assert defaults(PerceptualLoss) == dict(weight=10.0, name='perceptual', num_scales=4, min_resolution=32)
    assert defaults(R1Penalty) == dict(weight=10.0, interval=16, name='r1')
    assert defaults(FaceRegionLoss) == dict(weight=1.0, name='regions')
    assert defaults(FaceCropPerceptualLoss) == dict(
        weight=1.0, name='face_crops', parts=('mouth', 'eyes'), crop_size=64, num_scales=2, min_resolution=32)
    assert defaults(ExpressionCodeLoss) == dict(weight=1.0, name='expression_code')
    assert ExpressionCodeLoss(3).factors.tolist() == [0.5, 0.5, 0.5, 0.5, 0.0, 0.0]
    assert defaults(FaceFlowLoss) == dict(weight=1.0, name='face_flow', grid='lia', min_resolution=16)
    assert FaceFlowLoss().factors.tolist() == [0.25] * 8 + [0.0] * 4
    assert FaceRegionLoss().factors.tolist() == [1.0, 0.5, 0.5, 0.0]
