"""Inputs of a wrong shape are refused by name: many of them would be broadcast."""

import pytest
import torch
from support.tiny_models import (
    MOTION_DIM as N, SIZE, WINDOW, make_animator, make_motion_diffusion, make_start_code, make_start_frame)

from leokit.models.motion_inpainting import inpainting_correction

HASH = 'ab' * 32


def zeros(*shape):
    return torch.zeros(shape)


@pytest.fixture(scope='module')
def models():
    return dict(motion=make_motion_diffusion(HASH), code=make_start_code(HASH), frame=make_start_frame(HASH),
                animator=make_animator())


@pytest.mark.parametrize('name, call, message', [
    ('motion', lambda m: m.sample(zeros(N)), r'start must have shape \(\*, \*\)'),
    ('motion', lambda m: m.sample(zeros(2, N), noise=zeros(1, WINDOW - 1, N)), r'noise must have shape \(2, 4, 4\)'),
    ('motion', lambda m: m.inpaint(zeros(1, 8, N + 1), torch.ones(8, dtype=torch.bool)),
     r'known must have shape \(\*, \*, 4\)'),
    ('motion', lambda m: m.inpaint(zeros(2, 8, N), torch.ones(1, 8, dtype=torch.bool)),
     r'mask must have shape \(2, 8\)'),
    ('motion', lambda m: m.loss(dict(motion=zeros(2, N))), r'motion must have shape \(\*, \*, \*\)'),
    ('code', lambda m: m.sample(2, noise=zeros(1, N)), r'noise must have shape \(2, 4\)'),
    ('frame', lambda m: m.sample(zeros(N)), r'motion must have shape \(\*, \*\)'),
    ('frame', lambda m: m.sample(zeros(2, N), noise=zeros(1, 3, SIZE, SIZE)),
     r'noise must have shape \(2, 3, 32, 32\)'),
    ('frame', lambda m: m.loss(dict(frame=zeros(2, 3, SIZE, SIZE), motion=zeros(1, N))),
     r'inputs.motion must have shape \(2, \*\)'),
    ('animator', lambda m: m.animate(m.encode(zeros(1, 3, SIZE, SIZE)), zeros(1, 1)),
     r'motion must have shape \(\*, 4\)'),
    ('animator', lambda m: m.animate(m.encode(zeros(1, 3, SIZE, SIZE)), zeros(1, 6, 1)),
     r'motion must have shape \(\*, \*, 4\)')])
def test_wrong_shapes_are_named(models, name, call, message):
    with pytest.raises(ValueError, match=message):
        call(models[name])


@pytest.mark.parametrize('known, mask, message', [
    (zeros(8, N), torch.ones(8, dtype=torch.bool), r'known must have shape \(\*, \*, \*\)'),
    (zeros(2, 8, N), torch.ones(2, 1, dtype=torch.bool), r'mask must have shape \(2, 8\)')])
def test_wrong_shapes_of_given_codes(known, mask, message):
    with pytest.raises(ValueError, match=message):
        inpainting_correction(known, mask, 2)
