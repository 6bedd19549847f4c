"""Inpainting in time: right values by arithmetic."""

import pytest
import torch

from leokit.models import MotionDiffusion
from leokit.models.motion_inpainting import inpainting_correction
from leokit.utils import UserError

BACKBONE = dict(type='MotionTransformer', dim=16, depth=1, head_dim=8)


def model(condition='LinearMotionCondition'):
    torch.manual_seed(0)
    diffusion = MotionDiffusion(2, 8, backbone=BACKBONE, motion_condition=dict(type=condition),
                                sampler=dict(type='DDIMSampler', num_inference_steps=4))
    torch.nn.init.normal_(diffusion.backbone.out.weight)
    diffusion.normalizer.set_statistics(torch.tensor([1.0, -2.0]), torch.tensor([3.0, 0.5]), torch.ones(2))
    return diffusion.eval()


def spread(frames, offsets, reach):
    """The corrected zero sequence, one channel."""
    known, mask = torch.zeros(1, frames, 1), torch.zeros(1, frames, dtype=torch.bool)
    for frame, offset in offsets.items():
        known[0, frame], mask[0, frame] = offset, True
    return inpainting_correction(known, mask, reach)(torch.zeros(1, frames, 1))[0, :, 0].tolist()


@pytest.mark.parametrize(('frames', 'offsets', 'reach', 'expected'), [
    (6, {5: 4.0}, 4, [0, 0, 1, 2, 3, 4]),
    (6, {2: 4.0}, 2, [0, 2, 4, 2, 0, 0]),
    (6, {2: 4.0}, 1, [0, 0, 4, 0, 0, 0]),
    (5, {0: 4.0, 4: 8.0}, 16, [4, 5, 6, 7, 8]),  # between two given frames, linear from one to the other
    (5, {0: 4.0, 1: 0.0}, 16, [4, 0, 0, 0, 0]),  # a given frame stops the offset of another
    (4, {0: 8.0}, 16, [8, 7.5, 7, 6.5]),  # the reach ends outside
    (4, {3: 8.0}, 16, [6.5, 7, 7.5, 8]),
    (4, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}, 3, [1, 2, 3, 4]),
    (3, {}, 3, [0, 0, 0]),
])
def test_offsets_of_given_frames_decrease_linearly(frames, offsets, reach, expected):
    assert spread(frames, offsets, reach) == pytest.approx(expected)


def test_each_sequence_has_its_mask():
    known = torch.tensor([[[2.0], [9.0], [9.0]], [[9.0], [9.0], [4.0]]])
    mask = torch.tensor([[True, False, False], [False, False, True]])
    corrected = inpainting_correction(known, mask, 2)(torch.zeros(2, 3, 1))
    assert corrected[..., 0].tolist() == [[2, 1, 0], [0, 2, 4]]


@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'ConcatMotionCondition', 'NoMotionCondition'])
def test_samples_pass_through_the_given_codes(condition):
    diffusion = model(condition)
    known = torch.randn(3, 8, 2)
    mask = torch.tensor([1, 0, 0, 1, 0, 0, 0, 1], dtype=torch.bool)
    motion = diffusion.inpaint(known, mask, generator=torch.Generator().manual_seed(1))
    assert torch.equal(motion[:, mask], known[:, mask])
    other = diffusion.inpaint(known, mask, generator=torch.Generator().manual_seed(2))
    assert not torch.allclose(motion[:, ~mask], other[:, ~mask], atol=1e-3)  # the rest is sampled
    hidden = known.masked_fill(~mask[:, None], float('nan'))
    again = diffusion.inpaint(hidden, mask, generator=torch.Generator().manual_seed(1))
    assert torch.equal(again, motion)  # codes that are not given do not matter


def test_offsets_reach_the_neighbors_in_samples():
    """With a far given frame, its neighbor is three quarters as far with reach=4, and unmoved with reach=1."""
    diffusion = model()
    known = torch.zeros(1, 8, 2)
    mask = torch.tensor([1, 0, 0, 0, 0, 0, 0, 1], dtype=torch.bool)
    plain = diffusion.sample(known[:, 0], generator=torch.Generator().manual_seed(1))
    known[:, -1] = plain[:, -1] + 1000.0
    for reach, share in ((1, 0.0), (4, 0.75)):
        moved = diffusion.inpaint(known, mask, reach=reach, generator=torch.Generator().manual_seed(1))
        assert (moved[0, -2] - plain[0, -2]).tolist() == pytest.approx([1000 * share] * 2, abs=50)


@pytest.mark.parametrize(('change', 'named'), [
    (dict(mask=torch.zeros(8, dtype=torch.bool)), 'first code'),
    (dict(mask=torch.ones(8)), 'booleans'),
    (dict(reach=0), 'reach'),
    (dict(known=torch.full((1, 8, 2), float('nan'))), 'finite'),
])
def test_errors_name_the_argument(change, named):
    arguments = {'known': torch.zeros(1, 8, 2), 'mask': torch.ones(8, dtype=torch.bool), **change}
    with pytest.raises(UserError, match=named):
        model().inpaint(**arguments)


def test_a_mask_of_another_length_is_an_error():
    with pytest.raises(ValueError, match='mask'):
        model().inpaint(torch.zeros(1, 8, 2), torch.ones(7, dtype=torch.bool))
