"""A portrait that follows frames one by one renders the same frames as a whole video."""

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.face_detectors import Face
from leokit.inference import (
    LEO, FaceCropper, LiveAnimator, OneEuroFilter, VideoAnimator, camera_face, face_cropper, paste_into_image)
from leokit.utils import UserError
from leokit.utils.graphed_function import GraphedFunction
from leokit.utils.pixels import to_uint8
from support.tiny_models import SIZE, make_animator


@pytest.fixture
def camera():
    return np.random.default_rng(3).integers(0, 256, (5, 48, 40, 3), dtype=np.uint8)


def whole(animator, source, camera, mode='relative'):
    frames = torch.cat(list(VideoAnimator(animator).animate(source, camera, mode=mode)), dim=1)[0]
    return to_uint8(frames).permute(0, 2, 3, 1).numpy().astype(int)


@pytest.mark.parametrize('mode', ['relative', 'absolute'])
def test_frame_by_frame_equals_the_whole_video(animator, images, camera, mode):
    session = LiveAnimator(LEO(animator), images[0], mode=mode)
    frames = np.stack([session(frame) for frame in camera])
    assert frames.dtype == np.uint8 and frames.shape == (5, SIZE, SIZE, 3) and session.size == SIZE
    assert np.abs(frames - whole(animator, images[:1], camera, mode)).max() <= 1


def test_the_transfer_mode_of_the_animator_is_the_default(images):
    animator = make_animator()
    assert LiveAnimator(animator, images[0]).mode == 'relative'
    animator.transfer_mode = 'absolute'
    assert LiveAnimator(animator, images[0]).mode == 'absolute'
    assert LiveAnimator(animator, images[0], mode='relative').mode == 'relative'


def test_the_reference_is_the_frame_after_a_reset(animator, images, camera):
    session = LiveAnimator(animator, images[0])
    first = session(camera[0])
    moved = session(camera[3])
    session.reset()
    assert np.abs(session(camera[3]).astype(int) - first).max() <= 1
    assert np.abs(moved.astype(int) - first).max() > 5
    session.set_source(images[1])
    assert np.abs(session(camera[3]) - whole(animator, images[1:], camera[3:])[0]).max() <= 1


def test_inputs_and_what_is_refused(animator, images, camera):
    session = LiveAnimator(animator, images[0])
    expected = session(camera[1]).astype(int)
    for frame in (Image.fromarray(camera[1]), torch.from_numpy(camera[1]).permute(2, 0, 1)):
        session.reset()
        assert np.abs(session(frame) - expected).max() <= 1
    with pytest.raises(UserError, match='frame 3 of the video is float64'):
        session(camera[0] / 255)
    with pytest.raises(UserError, match='one source is animated at a time, got 2'):
        LiveAnimator(animator, images)
    with pytest.raises(UserError, match='unknown transfer mode'):
        LiveAnimator(animator, images[0], mode='both')


def test_scale_zero_stays_at_the_source_and_smoothing_is_applied(animator, images, camera):
    still = LiveAnimator(animator, images[0], motion_scale=0.0)
    assert np.abs(still(camera[0]).astype(int) - still(camera[4])).max() == 0
    frames = []
    for smoothing in (None, OneEuroFilter(1e6, fps=25, speed_coefficient=0)):  # one that lets nothing pass
        session = LiveAnimator(animator, images[0], smoothing=smoothing)
        frames.append(np.stack([session(frame) for frame in camera]).astype(int))
    assert np.ptp(frames[0], axis=0).max() > 5 and np.ptp(frames[1], axis=0).max() <= 1


def test_broken_weights_are_named(images, camera):
    broken = make_animator()
    with torch.no_grad():
        broken.flow_generator.levels[-1].to_rgb.bias.fill_(float('nan'))
    with pytest.raises(UserError, match='frames with NaN'):
        LiveAnimator(broken, images[0])(camera[0])


def test_without_cuda_a_graphed_function_is_called():
    calls = []
    double = GraphedFunction(lambda x: (calls.append(1) or 2 * x,))
    for value in (1.0, 3.0):
        assert double(torch.tensor(value))[0] == 2 * value
    assert len(calls) == 2


@pytest.mark.gpu
def test_graphs_render_what_is_rendered_without_them(images, camera):
    frames = []
    for graphs in (False, True):
        session = LiveAnimator(make_animator().cuda(), images[0], graphs=graphs)
        frames.append(np.stack([session(frame) for frame in camera]).astype(int))
        session.set_source(images[1])
        frames[-1] = np.concatenate((frames[-1], [session(camera[2])]))
    assert np.abs(frames[0] - frames[1]).max() <= 1
    assert np.ptp(frames[1][:5], axis=0).max() > 5


@pytest.mark.gpu
def test_replays_follow_their_inputs():
    calls = []
    double = GraphedFunction(lambda x: (calls.append(1) or 2 * x,))
    for value in (1.0, 3.0, -2.0):
        assert double(torch.full((4,), value, device='cuda'))[0].tolist() == [2 * value] * 4
    captured = len(calls)
    double(torch.zeros(4, device='cuda'))
    assert len(calls) == captured
    with pytest.raises(ValueError, match='captured for torch.float32'):
        double(torch.zeros(5, device='cuda'))


def test_compiled_parts_give_the_same_frames_and_leave_the_model_alone(animator, images, camera, monkeypatch):
    compiled = []
    monkeypatch.setenv('TORCHINDUCTOR_CACHE_DIR', 'unused')  # named by the user, so it stays

    class Compiled:
        def __init__(self, module):
            compiled.append(module)
            self._orig_mod = module

        def __call__(self, *inputs):
            return self._orig_mod(*inputs)
    monkeypatch.setattr(torch, 'compile', Compiled)
    session = LiveAnimator(animator, images[0], compile=True)
    assert compiled == [animator.encoder, animator.flow_generator]
    expected = LiveAnimator(animator, images[0])
    assert all(np.array_equal(session(frame), expected(frame)) for frame in camera)
    assert isinstance(animator.encoder, torch.nn.Module) and animator.encoder._compiled_call_impl is None


class Detector:
    """A face around white pixels."""

    has_landmarks = False

    def detect(self, frame, *, thorough=False):
        rows, columns = np.nonzero((frame == 255).all(axis=-1))
        return [Face(np.array((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), float), 1.0)
                ] if len(rows) else []


def test_the_face_of_the_camera_is_found_and_kept(animator, monkeypatch):
    monkeypatch.setattr(face_cropper, 'build_face_detector', lambda config, landmarks: Detector())
    monkeypatch.setattr(camera_face, 'SEARCH_EVERY', 2)
    generator = np.random.default_rng(0)
    photo = generator.integers(0, 200, (90, 120, 3), dtype=np.uint8)
    photo[30:50, 60:80] = 255
    frames = generator.integers(0, 200, (7, 64, 96, 3), dtype=np.uint8)
    for number in range(1, 7):  # no face in the first frame; it then moves, its region does not
        frames[number, 20:36, 30 + 2 * number:46 + 2 * number] = 255
    cropper = FaceCropper(animator, crop=dict(type='SquareCropper', scale=2.0))
    session = LiveAnimator(animator, photo, cropper=cropper)
    shown = [session(frame) for frame in frames]
    # searched in frames 0 and 2: there the face is at 34 to 50, its region at 26 to 58
    expected = whole(animator, photo[20:60, 50:90], frames[2:, 12:44, 26:58])
    assert np.abs(np.stack(shown[2:]) - expected).max() <= 1
    session.reset()  # in frame 6 the region is at 34 to 66, and that frame is the reference
    again = np.stack([session(frame) for frame in frames[6:]])
    assert np.abs(again - whole(animator, photo[20:60, 50:90], frames[6:, 12:44, 34:66])).max() <= 1
    pasted = LiveAnimator(animator, photo, cropper=cropper, paste_back=True)
    source = cropper.image(photo)
    face = torch.from_numpy(shown[2]).permute(2, 0, 1)[None, None] / 127.5 - 1
    assert np.array_equal(pasted(frames[2]), next(paste_into_image(iter([face]), source))[0, 0].permute(1, 2, 0))
    with pytest.raises(ValueError, match='needs a cropper'):
        LiveAnimator(animator, photo, paste_back=True)
