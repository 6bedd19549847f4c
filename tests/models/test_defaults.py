"""Default values: those of LIA and LEO, and what the documentation says."""

import pytest
import torch
from support.signatures import defaults

from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion, StartFrameDiffusion
from leokit.models.diffusion import Diffusion
from leokit.models.motion_windows import KnownCodes
from leokit.models.start_frame_diffusion import GUIDANCE, LOW
from leokit.utils import UserError


def test_animator():
    """LIA: 256 pixels, a latent of 512 dimensions, 20 directions."""
    assert defaults(Animator) == dict(size=256, appearance_dim=512, motion_dim=20, channel_multiplier=1,
                                      max_channels=512)


def test_diffusion():
    common = dict(prediction_type='epsilon', epsilon_skip=True)
    assert defaults(Diffusion) == dict(common, coupling='independent')
    assert defaults(MotionDiffusion) == dict(common, coupling='independent', motion_dim=20, num_frames=20)
    assert defaults(StartCodeDiffusion) == dict(common, motion_dim=20)
    assert defaults(StartFrameDiffusion) == dict(size=64, motion_dim=20, prediction_type='v')
    assert GUIDANCE == dict(weight=1.0, condition_dropout=0.1) and LOW == dict(noise=0.2)


def test_schedules_and_samplers():
    motion, code, frame = MotionDiffusion(), StartCodeDiffusion(), StartFrameDiffusion(8, backbone=dict(
        type='UNet2D', channels=(16,), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8))
    for model in (motion, code, frame):
        assert model.diffusion.scheduler.num_train_timesteps == 1000
        assert type(model.diffusion.sampler).__name__ == 'DDIMSampler'
        assert model.diffusion.sampler.num_inference_steps == 50
    assert type(frame.diffusion.scheduler).__name__ == 'CosineNoiseScheduler'


def test_inpainting():
    assert defaults(MotionDiffusion.inpaint) == dict(reach=16) == KnownCodes._field_defaults


def test_the_shortest_sequences():
    """One code besides the first one; without a condition on it, one code."""
    unet = dict(type='UNet1D', channels=(8,), num_blocks=1, attention_levels=(), embedding_dim=8, head_dim=8)
    for condition, shortest in (('LinearMotionCondition', 2), ('NoMotionCondition', 1)):
        options = dict(backbone=unet, motion_condition=dict(type=condition))
        model = MotionDiffusion(2, shortest, **options)
        model.normalizer.set_statistics([0.0, 0.0], [1.0, 1.0])
        assert model.sample(torch.zeros(3, 2)).shape == (3, shortest, 2)
        assert [len(codes[0]) for codes in model.extend(torch.zeros(3, 2), 1)] == [1]
        with pytest.raises(UserError, match='leaves nothing to generate'):
            MotionDiffusion(2, shortest - 1, **options)
        with pytest.raises(UserError, match='total_frames=0'):
            model.extend(torch.zeros(3, 2), 0)
