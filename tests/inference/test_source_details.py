"""Details of a source: exact at rest, moved with the flow, and none where something is inpainted."""

import pytest
import torch
from torch.nn import functional as F

from leokit.inference import VideoAnimator, source_details
from leokit.inference.rendering import render
from leokit.inference.source_details import SourceDetails, supports_details
from leokit.models import Animator
from leokit.models.animator import Animation
from leokit.utils import UserError

SIZE, LARGE = 32, 80
GRIDS = ('exact', 'lia', 'corners')


def animator(grid='exact') -> Animator:
    torch.manual_seed(0)
    warp = dict(type='BilinearWarp', grid=grid)
    model = Animator(SIZE, 16, motion_dim=4, max_channels=8,
                     flow_generator=dict(type='LIAFlowGenerator', inpaint=True, warp_operator=warp)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return model


@pytest.fixture
def sources():
    return 2 * torch.rand(2, 3, LARGE, LARGE) - 1


def encoded(model, sources):
    with torch.no_grad():
        return model.encode(F.interpolate(sources, size=SIZE, mode='area'))


def moved(model, frames, pixels, mask=1.0):
    """An animation (B, t, ...) whose flow reads ``pixels`` model pixels further to the right everywhere."""
    batch, count = frames.shape[:2]
    center = (2 * torch.arange(SIZE) + 1) / SIZE - 1
    position = center + 2 * pixels / SIZE  # of the pixel that is read, -1 and 1 are the outer edges
    grid = model.flow_generator.levels[0].warp.grid
    if grid == 'corners':
        position, center = position * SIZE / (SIZE - 1), center * SIZE / (SIZE - 1)
    zero = center if grid == 'exact' else torch.linspace(-1, 1, SIZE)
    flow = torch.stack([(position - zero).expand(SIZE, -1), (center - zero)[:, None].expand(-1, SIZE)])
    masks = torch.full((batch, count, 1, SIZE, SIZE), mask)
    return Animation(frames, (flow.expand(batch, count, -1, -1, -1),), (masks,))


def still(model, encoding):
    """The model with the flow and the mask of a copy for the source's own pose."""
    plain = moved(model, encoding.motion.new_zeros(len(encoding.motion), 1, 3, SIZE, SIZE), 0)
    own = Animation(torch.randn(len(encoding.motion), 3, SIZE, SIZE), (plain.flows[0][:, 0],), (plain.masks[0][:, 0],))
    model.animate = lambda *args, **kwargs: own
    return own


@pytest.mark.parametrize('grid', GRIDS)
def test_the_source_in_its_own_pose_is_itself(grid, sources):
    model = animator(grid)
    encoding = encoded(model, sources)
    details = SourceDetails(model, encoding, sources)
    with torch.no_grad():
        rest = model.animate(encoding, encoding.motion[:, None].expand(-1, 3, -1))
    frames = torch.cat(list(details(rest)), dim=1)
    assert float((rest.frames[:, 0] - F.interpolate(sources, size=SIZE, mode='area')).abs().mean()) > 0.1  # not a copy
    assert torch.allclose(frames, sources[:, None].expand(-1, 3, -1, -1, -1), atol=1e-4)


@pytest.mark.parametrize('grid', GRIDS)
def test_details_move_with_the_flow(grid, sources):
    model = animator(grid)
    encoding = encoded(model, sources)
    own = still(model, encoding)
    details = SourceDetails(model, encoding, sources)
    frames = torch.randn(2, 4, 3, SIZE, SIZE)
    result = torch.cat(list(details(moved(model, frames, pixels=4))), dim=1)
    lost = sources - F.interpolate(own.frames, size=LARGE, mode='bicubic')
    large = F.interpolate(frames.flatten(0, 1), size=LARGE, mode='bicubic').reshape(2, 4, 3, LARGE, LARGE)
    shift = 4 * LARGE // SIZE  # 10 pixels
    expected = large[..., :-shift] + lost[:, None, :, :, shift:]
    assert torch.allclose(result[..., :-shift], expected, atol=1e-3)


def test_what_is_inpainted_gets_no_details(sources):
    model = animator()
    encoding = encoded(model, sources)
    still(model, encoding)
    frames = torch.randn(2, 1, 3, SIZE, SIZE)
    result, = SourceDetails(model, encoding, sources)(moved(model, frames, pixels=0, mask=0.0))
    assert torch.allclose(result[:, 0], F.interpolate(frames[:, 0], size=LARGE, mode='bicubic'), atol=1e-5)


def test_pieces_are_the_whole(sources, monkeypatch):
    model = animator()
    encoding = encoded(model, sources)
    details = SourceDetails(model, encoding, sources)
    with torch.no_grad():
        animation = model.animate(encoding, torch.randn(2, 5, 4))
    whole, = details(animation)
    monkeypatch.setattr(source_details, 'PIXELS', 2 * 2 * LARGE**2)  # two frames of two sources
    pieces = list(details(animation))
    assert [piece.shape[1] for piece in pieces] == [2, 2, 1]
    assert torch.allclose(torch.cat(pieces, dim=1), whole, atol=1e-5)


def test_one_source_serves_several_motions(sources):
    model = animator()
    encoding = encoded(model, sources[:1])
    details = SourceDetails(model, encoding, sources[:1])
    motion = torch.randn(2, 3, 4)
    frames = torch.cat(list(render(model, encoding, motion, details=details)), dim=1)
    alone = [torch.cat(list(render(model, encoding, row[None], details=details)), dim=1) for row in motion]
    assert torch.allclose(frames, torch.cat(alone), atol=1e-4) and not torch.allclose(*alone, atol=0.1)


def test_the_caller_is_not_in_inference_mode(sources, monkeypatch):
    model = animator()
    monkeypatch.setattr(source_details, 'PIXELS', 1)
    images = list(F.interpolate(sources, size=SIZE, mode='area'))
    animations = [VideoAnimator(model).animate(images, torch.zeros(3, 3, SIZE, SIZE), details=sources)
                  for _ in range(2)]
    for _ in zip(*animations):  # in turn
        assert not torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()


def test_a_video_is_animated_at_the_resolution_of_its_source(sources):
    model = animator()
    small = F.interpolate(sources, size=SIZE, mode='area')
    driving = torch.rand(6, 3, SIZE, SIZE)
    frames = torch.cat(list(VideoAnimator(model).animate(list(small), driving, details=sources)), dim=1)
    assert frames.shape == (2, 6, 3, LARGE, LARGE) and float(frames.abs().max()) <= 1
    # relative to its first frame, the driving video has not moved there
    assert torch.allclose(frames[:, 0], sources, atol=1e-3)


def test_flows_to_an_unknown_grid_are_not_supported(sources):
    model = animator()
    assert supports_details(model)
    encoding = encoded(model, sources)
    for level in model.flow_generator.levels:
        level.warp = torch.nn.Identity()
    assert not supports_details(model)
    with pytest.raises(UserError, match='leave the details out'):
        SourceDetails(model, encoding, sources)


def test_details_may_be_bytes(sources):
    model = animator()
    pixels = ((sources + 1) * 127.5).round().to(torch.uint8)
    encoding = encoded(model, sources)
    with torch.no_grad():
        rest = model.animate(encoding, encoding.motion[:, None])
    result, = SourceDetails(model, encoding, pixels)(rest)
    assert torch.allclose(result[:, 0], pixels / 127.5 - 1, atol=1e-4)


@pytest.mark.parametrize('wrong, sentence', [
    (torch.zeros(1, 3, LARGE, LARGE), r'shape \(2, 3, 80, 80\), got \(1,'),
    (torch.zeros(2, 3, LARGE + 2, LARGE), r'shape \(2, 3, 80, 80\), got'),
    (torch.zeros(3, LARGE, LARGE), r'shape \(2, 3, 80, 80\), got'),
    (torch.zeros(2, 3, SIZE - 2, SIZE - 2), 'at least the 32 pixels of the model, got 30')])
def test_details_of_another_shape_are_refused(wrong, sentence, sources):
    images = list(F.interpolate(sources, size=SIZE, mode='area'))
    with pytest.raises(ValueError, match=sentence):
        VideoAnimator(animator()).animate(images, torch.zeros(2, 3, SIZE, SIZE), details=wrong)
