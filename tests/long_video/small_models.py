"""A small motion diffusion whose windows depend on their noise."""

import torch

from leokit.models import MotionDiffusion

N, T = 2, 8
UNET = dict(type='UNet1D', channels=(16,), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8)


def build(condition='LinearMotionCondition', sampler='DDIMSampler', **options):
    """The model, with random weights."""
    torch.manual_seed(0)
    model = MotionDiffusion(N, T, backbone=UNET, motion_condition=dict(type=condition),
                            sampler=dict(type=sampler, num_inference_steps=5), **options)
    model.normalizer.set_statistics([1.0, -1.0], [2.0, 0.5], [1.0, 0.5])
    torch.nn.init.normal_(model.backbone.out.weight, std=0.02)
    return model.eval()
