"""LIA at 512 (also the motion autoencoder of FLOAT) and LIA-X against their reference implementations.

Weights follow a rule; the stored outputs are those of the public implementations. Sampling white-noise features
magnifies rounding, so frames are compared by their root mean square error.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from models.lia_reference import reference_state
from support.reference_rules import rule_noise

import leokit
from leokit.models import Animator, convert_checkpoint
from leokit.models.liax_state_dict import from_liax, to_liax

DATA = Path(__file__).parent / 'data'


def image(name):
    pixels = torch.from_numpy(np.tanh(rule_noise(name, (1, 3, 64, 64))))
    return pixels.repeat_interleave(8, 2).repeat_interleave(8, 3)


def liax_scale(key):
    if key in ('dec.direction.weight', 'dec.input.input') or key.endswith(('.modulation.bias', '.norm.weight')):
        return 1.0
    if key.endswith('.gamma'):
        return 0.3
    if '.flow' in key and key.endswith('.conv.weight'):
        return 0.4
    return 0.1 if key.endswith('bias') else 1.0


def float_file(folder):
    """A file as FLOAT's: parameters only, with its prefix."""
    with torch.device('meta'):
        animator = Animator(512)
    state = reference_state(animator)
    torch.save({f'motion_autoencoder.{key}': value for key, value in state.items() if not key.endswith('.kernel')},
               folder / 'float.pth')
    convert_checkpoint(folder / 'float.pth', folder / 'animator.pth')
    return leokit.load(folder / 'animator.pth')


def liax(folder):
    with torch.device('meta'):
        animator = Animator(512, 512, motion_dim=40, channel_multiplier=2, encoder=dict(type='LIAXEncoder'),
                            flow_generator=dict(type='LIAXFlowGenerator'))
    state = {key: torch.from_numpy(rule_noise(key, value.shape) * np.float32(liax_scale(key)))
             for key, value in to_liax(animator.state_dict()).items() if not key.endswith('.kernel')}
    animator.load_state_dict(from_liax(state), assign=True)
    return animator.eval()


# root mean square errors: rounding of float32 is 0.004 and 0.0003 of deviations 0.95 and 0.82 for LIA
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize('make, name, modes, bounds', [
    (float_file, 'lia_512', ('absolute', 'relative'), (0.02, 0.002)), (liax, 'liax_512', ('relative',), (0.02, 0.02))])
@torch.no_grad()
def test_outputs_of_the_reference(make, name, modes, bounds, tmp_path):
    animator, expected = make(tmp_path), np.load(DATA / f'{name}.npz')
    codes = {each: animator.encode(image(each)) for each in ('source', 'driving', 'start')}
    for each, encoding in codes.items():
        np.testing.assert_allclose(encoding.motion, expected[f'motion_{each}'], atol=2e-5)
    np.testing.assert_allclose(codes['source'].appearance, expected['appearance_source'], atol=1e-5)
    for mode in modes:
        start = codes['start'].motion if mode == 'relative' else None
        frames = animator.animate(codes['source'], codes['driving'].motion, start).frames
        pooled = torch.nn.functional.avg_pool2d(frames, 8)
        for part, found, bound in (('crop', frames[..., 208:304, 208:304], bounds[0]), ('pooled', pooled, bounds[1])):
            error = found.numpy() - expected[f'{mode}_{part}']
            assert np.sqrt((error**2).mean()) < bound, (mode, part)
