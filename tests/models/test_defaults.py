"""Default values: those of LIA and LEO, and what the documentation says."""

from support.signatures import defaults

from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion, StartFrameDiffusion
from leokit.models.diffusion import Diffusion
from leokit.models.start_frame_diffusion import GUIDANCE, LOW


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
    assert frame.diffusion.sampler.num_inference_steps == 50
    assert type(frame.diffusion.scheduler).__name__ == 'CosineNoiseScheduler'
