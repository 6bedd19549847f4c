"""How training frames became square travels with the checkpoint, and everything that encodes follows it."""

import cv2
import numpy as np
import pytest
import torch
from support.tiny_models import SIZE, make_animator
from support.tiny_runs import write_models

from leokit.benchmark.real_videos import first_frames, motion_windows
from leokit.datasets import CodeCache, CodeCacheWriter, CodedFrameDataset
from leokit.evaluation import load_protocol, scan_videos
from leokit.inference import VideoAnimator, VideoGenerator, encode, extract_motion_codes, load
from leokit.inference.editing import edit_video
from leokit.models import Animator, MotionDiffusion
from leokit.utils import UserError
from leokit.utils.checkpoints import save_checkpoint
from leokit.utils.pixels import from_uint8
from leokit.video import VideoIndex

FRAMES = 5


@pytest.fixture
def frames():
    """Wide frames whose outer thirds, which a central crop removes, are bright."""
    frames = np.random.default_rng(0).integers(0, 120, (FRAMES, 2 * SIZE, 6 * SIZE, 3), dtype=np.uint8)
    frames[:, :, :2 * SIZE] += 120
    frames[:, :, 4 * SIZE:] += 120
    return frames


@pytest.fixture
def squeezed(frames):
    """The whole frames at the size of the model, float (T, 3, S, S) in [-1, 1]: OpenCV's area filter."""
    small = np.stack([cv2.resize(frame, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for frame in frames])
    return from_uint8(torch.from_numpy(small.transpose(0, 3, 1, 2).copy()))


@pytest.fixture
def paths(tmp_path):
    paths = write_models(tmp_path)
    meta = dict(model='Animator', data=dict(crop='none'))
    save_checkpoint(dict(meta=meta, state_dict=make_animator(0).state_dict()), paths['animator'])
    return paths


@pytest.fixture
def animator(paths):
    return load(paths['animator_config'], paths['animator'], expect=Animator)


def codes_of(animator, images):
    return encode(animator, images).motion


@pytest.mark.parametrize('meta, crop', [
    (dict(data=dict(crop='none')), 'none'), (dict(), 'center'),
    (dict(cfg=dict(train_dataloader=dict(dataset=dict(frames=dict(crop='none'))))), 'none')])  # of earlier versions
def test_a_checkpoint_knows_its_crop(tmp_path, meta, crop):
    paths = write_models(tmp_path)
    save_checkpoint(dict(meta=dict(meta, model='Animator'), state_dict=make_animator(0).state_dict()),
                    paths['animator'])
    assert load(paths['animator_config'], paths['animator'], expect=Animator).crop == crop


def test_animation_and_editing(animator, frames, squeezed):
    codes = torch.cat(list(VideoAnimator(animator).codes(frames)), dim=1)[0]
    torch.testing.assert_close(codes, codes_of(animator, squeezed))
    source, expected = frames[0], squeezed[:1]
    for result, start in ((VideoAnimator(animator).animate(source, frames), expected),
                          (edit_video(animator, frames, source), expected)):
        wanted = VideoAnimator(animator).animate(start[0], frames)
        torch.testing.assert_close(torch.cat(list(result), 1), torch.cat(list(wanted), 1))


def test_generation(paths, animator, frames, squeezed):
    diffusion = load(paths['motion_config'], paths['motion'], expect=MotionDiffusion)
    generator = VideoGenerator(animator, diffusion)
    one, two = (torch.cat(list(generator.generate(image, 4)), dim=1) for image in (frames[0], squeezed[0]))
    torch.testing.assert_close(one, two)
    one, two = (torch.cat(list(generator.continue_video(video, 4)), dim=1) for video in (frames, squeezed))
    torch.testing.assert_close(one, two)


def test_extraction_and_real_videos(animator, frames, squeezed, tmp_path):
    (tmp_path / 'videos').mkdir()
    for number in range(3):
        np.save(tmp_path / 'videos' / f'{number}.npy', frames)
    producer = dict(weights_hash=animator.weights_hash(), crop=animator.crop)
    with CodeCacheWriter(tmp_path / 'codes', animator.motion_dim, animator=producer) as writer:
        extract_motion_codes(animator, VideoIndex(tmp_path / 'videos'), writer, show_progress=False)
    expected = codes_of(animator, squeezed)
    codes = torch.from_numpy(np.array(CodeCache(tmp_path / 'codes').codes[:FRAMES]))
    torch.testing.assert_close(codes, expected, rtol=1e-4, atol=1e-5)
    protocol = load_protocol('quick').changed({'clips.length': 4})
    videos = scan_videos(tmp_path / 'videos', protocol)
    torch.testing.assert_close(first_frames(videos, SIZE, [0], 1, crop=animator.crop), squeezed[:1])
    windows = motion_windows(animator, videos, protocol, length=FRAMES, count=2)
    torch.testing.assert_close(windows[0], expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(UserError, match="have crop='center', but the codes in .* belong to crop='none'"):
        CodedFrameDataset(tmp_path / 'videos', SIZE, codes_dir=tmp_path / 'codes')
    CodedFrameDataset(tmp_path / 'videos', SIZE, codes_dir=tmp_path / 'codes', frames=dict(crop='none'))
