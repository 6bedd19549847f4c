"""docs/product.md: its Python examples run one after another, and what it says of threads, memory and seeds holds."""

import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import leokit
from leokit.inference import LiveAnimator
from leokit.video import open_video

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'product.md'


@pytest.fixture
def folder(tmp_path, drawn, monkeypatch):
    """A folder with the files that the page names, as the current one."""
    shutil.copy(drawn.portraits[0], tmp_path / 'portrait.png')
    shutil.copy(drawn.clips[0], tmp_path / 'talk.mp4')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_run(folder, models, monkeypatch, capsys):
    monkeypatch.setattr(leokit, 'load', lambda name, device: models.leo, raising=False)
    blocks = re.findall(r'^```python\n(.*?)^```', PAGE.read_text(), re.M | re.S)
    assert len(blocks) == 7
    names = {}
    for block in blocks:
        exec(compile(block, str(PAGE), 'exec'), names)
    for name, frames in (('animated.mp4', 48), ('generated.mp4', 100)):
        with open_video(folder / name) as video:
            assert len(video) == frames
    assert names['frames'].shape[-3:] == (3, 32, 32) and names['shown'].shape == (32, 32, 3)
    assert 'the given bytes is not a readable image' in capsys.readouterr().out


def test_threads_share_the_models(models, drawn):
    """Four threads at once get bit by bit what they get one after another."""
    leo, portrait = models.leo, str(drawn.portraits[0])

    def compute(number):
        if number % 2:
            return torch.cat(list(leo.from_image(portrait, num_frames=12, seed=number)), dim=1)
        return torch.cat(list(leo.animate(portrait, str(drawn.clips[0]))), dim=1)
    alone = [compute(number) for number in range(4)]
    results = [None] * 4

    def work(number):
        results[number] = compute(number)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(result, expected) for result, expected in zip(results, alone))


def test_nothing_is_computed_before_it_is_requested(models, drawn, monkeypatch):
    """Ten thousand frames cost what was asked for: a few windows of motion."""
    calls = []
    sample = models.leo.motion_diffusion.sample
    monkeypatch.setattr(models.leo.motion_diffusion, 'sample', lambda *a, **k: calls.append(1) or sample(*a, **k))
    stream = models.leo.from_image(str(drawn.portraits[0]), num_frames=10_000)
    for _ in range(3):
        next(stream)
    assert 1 <= len(calls) <= 4


def test_global_random_states_are_left_alone(models, drawn):
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    list(models.leo.from_image(str(drawn.portraits[0]), num_frames=4, seed=1))
    assert (torch.rand(1), np.random.rand()) == expected


def test_a_longer_video_begins_with_the_shorter_one(models, drawn):
    long, short = (torch.cat(list(models.leo.from_image(str(drawn.portraits[0]), num_frames=count, seed=3)), dim=1)
                   for count in (20, 7))
    assert torch.allclose(long[:, :7], short, atol=1e-4)


def test_live_streams_do_not_disturb_each_other(models, drawn):
    frames = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), dtype=np.uint8)
    portrait = str(drawn.portraits[0])
    alone = [LiveAnimator(models.leo, portrait)(frame) for frame in frames[:1]]
    one, two = LiveAnimator(models.leo, portrait), LiveAnimator(models.leo, portrait)
    two(frames[1])
    assert (one(frames[0]) == alone[0]).all()
