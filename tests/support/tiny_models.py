"""Tiny untrained models whose codes and flows are not zero."""

import torch

from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion, StartFrameDiffusion

SIZE = 32
MOTION_DIM = 4
WINDOW = 5


def make_animator(seed: int = 0) -> Animator:
    """An animator with random weights everywhere."""
    torch.manual_seed(seed)
    return _fill_zeros(Animator(SIZE, 32, motion_dim=MOTION_DIM, max_channels=16)).eval()


def make_motion_diffusion(animator_hash: str | None, motion_dim: int = MOTION_DIM, num_frames: int = WINDOW,
                          **options) -> MotionDiffusion:
    """A motion diffusion with random weights that needs noise at every step.

    A denoiser that magnifies rounding errors from window to window would hide what the tests look for, so its
    answer depends little on what it is given.
    """
    torch.manual_seed(1)
    backbone = dict(type='UNet1D', channels=(16, 16), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8)
    model = MotionDiffusion(motion_dim, num_frames, sampler=dict(type='DDIMSampler', num_inference_steps=3, eta=1.0),
                            backbone=backbone, prediction_type='x0', **options)
    model.normalizer.set_statistics(torch.zeros(motion_dim), torch.ones(motion_dim), animator_hash=animator_hash)
    return _fill_zeros(model, std=0.02).eval()


def make_start_code(animator_hash: str | None, motion_dim: int = MOTION_DIM) -> StartCodeDiffusion:
    """A starting-code model with random weights."""
    torch.manual_seed(3)
    model = StartCodeDiffusion(motion_dim, sampler=dict(type='DDIMSampler', num_inference_steps=3),
                               backbone=dict(type='MLPDenoiser', dim=16, depth=1, embedding_dim=16),
                               prediction_type='x0')
    model.normalizer.set_statistics(torch.zeros(motion_dim), torch.ones(motion_dim), animator_hash=animator_hash)
    return _fill_zeros(model).eval()


def make_start_frame(animator_hash: str | None, motion_dim: int = MOTION_DIM, size: int = SIZE,
                     **options) -> StartFrameDiffusion:
    """A starting-frame model with random weights."""
    torch.manual_seed(4)
    backbone = dict(type='UNet2D', channels=(16, 16), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8)
    model = StartFrameDiffusion(size, motion_dim, sampler=dict(type='DDIMSampler', num_inference_steps=2),
                                prediction_type='x0', backbone=backbone, **options)
    model.normalizer.set_statistics(torch.zeros(motion_dim), torch.ones(motion_dim), animator_hash=animator_hash)
    return _fill_zeros(model, std=0.02).eval()


def _fill_zeros(model, std=0.2):
    for parameter in model.parameters():  # the initialization is the identity: no code would show
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=std)
    return model
