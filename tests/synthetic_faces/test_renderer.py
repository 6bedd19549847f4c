import numpy as np
import pytest
import torch
import torch.nn.functional as F

from leokit.synthetic_faces import (
    APPEARANCE_NAMES, MOTION_NAMES, NEUTRAL_MOTION, render_faces, sample_identities, sample_motion)
from leokit.synthetic_faces.geometry import VIEW


def pose(**changes):
    values = dict(zip(MOTION_NAMES, NEUTRAL_MOTION)) | changes
    return torch.tensor([[values[name] for name in MOTION_NAMES]])


def face_of(number=0, **changes):
    appearance = torch.from_numpy(sample_identities([number]))
    for name, value in changes.items():
        appearance[:, APPEARANCE_NAMES.index(name)] = value
    return appearance


def bald(number=0):
    """A face of skin and features only, so that the moving parts are known."""
    return face_of(number, hair=0, back_hair=0, bun=0, glasses=0, beard=0, mustache=0, freckles=0)


def changed(before, after, threshold=6):
    """Rows and columns of the box where two images differ, in scene units, and the fraction of pixels."""
    mask = (before.int() - after.int()).abs().amax(dim=(0, 1)) > threshold
    to_scene = 2 * VIEW / mask.shape[0]
    rows, columns = (mask.any(dim=d).nonzero().flatten().float() * to_scene - VIEW for d in (1, 0))
    return (rows.min(), rows.max()), (columns.min(), columns.max()), mask.float().mean()


def test_rendering_is_deterministic_in_any_batch():
    appearance, motion = face_of(3), torch.from_numpy(sample_motion(20, seed=1)[0])
    frames = render_faces(appearance, motion, size=32)
    assert frames.dtype == torch.uint8 and frames.shape == (20, 3, 32, 32)
    assert torch.equal(frames, render_faces(appearance, motion, size=32))
    single = torch.cat([render_faces(appearance, motion[k:k + 1], size=32) for k in range(20)])
    assert (single.int() - frames.int()).abs().max() <= 1


def test_each_frame_can_show_another_identity():
    appearance = torch.from_numpy(sample_identities(range(3)))
    together = render_faces(appearance, pose().expand(3, -1), size=32)
    for k in range(3):
        alone = render_faces(appearance[k:k + 1], pose(), size=32)[0]
        assert (alone.int() - together[k].int()).abs().max() <= 1


def test_appearance_and_motion_are_independent():
    motion = torch.from_numpy(sample_motion(6, seed=5)[0])
    first, second = (render_faces(face_of(k), motion, size=32).float() for k in (1, 2))
    assert (first - second).abs().mean() > 10
    # the same motion moves both faces away from their neutral image
    for k, frames in ((1, first), (2, second)):
        assert (frames - render_faces(face_of(k), pose(), size=32).float()).abs().mean() > 1


def test_the_background_does_not_move():
    appearance = bald()
    frames = render_faces(appearance, torch.cat([pose(), pose(yaw=20.0), pose(tx=0.05)]), size=64)
    assert torch.equal(frames[0, :, :6], frames[1, :, :6]) and torch.equal(frames[0, :, :6], frames[2, :, :6])


@pytest.mark.parametrize('change, top, bottom, half_width', [
    # the box that may change, in scene units; the center of the head is at y = -0.05
    (dict(mouth_open=1.0), 0.0, 0.75, 0.50), (dict(smile=1.0), -0.20, 0.45, 0.45),
    (dict(blink=1.0), -0.30, 0.12, 0.45), (dict(brow=1.0), -0.45, 0.12, 0.45),
    (dict(gaze_x=1.0), -0.25, 0.12, 0.45)])
def test_a_parameter_changes_its_own_region_only(change, top, bottom, half_width):
    appearance = bald()
    before, after = render_faces(appearance, pose(), size=128), render_faces(appearance, pose(**change), size=128)
    rows, columns, share = changed(before, after)
    assert top < rows[0] and rows[1] < bottom
    assert -half_width < columns[0] and columns[1] < half_width
    assert 0.002 < share < 0.12


def test_features_are_visible_at_64_pixels():
    appearance = bald()
    neutral = render_faces(appearance, pose(), size=64).int()
    for change in (dict(mouth_open=0.7), dict(blink=1.0), dict(smile=0.8), dict(brow=1.0), dict(gaze_x=0.8)):
        difference = (render_faces(appearance, pose(**change), size=64).int() - neutral).abs().amax(dim=1)
        assert (difference > 24).sum() >= 6, change


def center_of(mask):
    return (mask.float() * torch.arange(mask.shape[-1])).sum() / mask.sum()


def test_turning_the_head_moves_its_features_more_than_its_outline():
    """Parallax of the lips against the outline, segmented by their colors."""
    appearance = bald()
    for name, value in (('lips_r', 0.0), ('lips_g', 0.0), ('lips_b', 1.0), ('light', 0.0), ('squareness', 0.0)):
        appearance[:, APPEARANCE_NAMES.index(name)] = value
    for channel in 'rgb':
        appearance[:, APPEARANCE_NAMES.index(f'skin_{channel}')] = {'r': 1.0, 'g': 0.2, 'b': 0.1}[channel]
        appearance[:, APPEARANCE_NAMES.index(f'background_{channel}')] = 0.1
        appearance[:, APPEARANCE_NAMES.index(f'background_far_{channel}')] = 0.1
    frames = render_faces(appearance, torch.cat([pose(), pose(yaw=15.0), pose(yaw=30.0)]), size=128).float() / 255
    head = frames[:, 0, 40] - frames[:, 2, 40] > 0.25  # row through the forehead, above the ears
    lips = (frames[:, 2] - frames[:, 0]) > 0.25
    outline = [center_of(row) for row in head]
    mouth = [center_of(mask.any(dim=0)) for mask in lips]
    assert mouth[1] - mouth[0] > 3 * abs(outline[1] - outline[0]) and mouth[1] - mouth[0] > 5
    assert mouth[2] - mouth[1] > 2  # and further
    widths = [row.sum() for row in head]
    assert abs(widths[2] - widths[0]) < 0.15 * widths[0]


def test_pitch_moves_the_features_down_and_roll_turns_them():
    appearance = bald()
    neutral, down = (render_faces(appearance, pose(pitch=p), size=64).float() for p in (0.0, 15.0))
    shifts = range(-8, 9)
    inner = slice(22, 42)
    errors = [(down[..., inner, inner] - neutral.roll(s, dims=2)[..., inner, inner]).abs().mean() for s in shifts]
    assert shifts[int(np.argmin(errors))] >= 2
    left, right = (render_faces(appearance, pose(roll=r), size=64).float() for r in (-10.0, 10.0))
    assert (left - right).abs().mean() > 4


def test_edges_are_anti_aliased():
    """A small image equals the average-pooled large one."""
    motion = torch.from_numpy(sample_motion(4, seed=2, behavior='talking')[0])
    for number in (0, 4, 9):
        large = F.avg_pool2d(render_faces(face_of(number), motion, size=256).float(), 4)
        small = render_faces(face_of(number), motion, size=64).float()
        psnr = 10 * torch.log10(255 ** 2 / (large - small).square().mean())
        assert psnr > 30


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match='appearance'):
        render_faces(torch.from_numpy(sample_identities(range(2))), pose().expand(3, -1))
    with pytest.raises(ValueError, match='shape'):
        render_faces(face_of(), torch.zeros(2, 3))
