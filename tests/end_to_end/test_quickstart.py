"""The whole chain through the real commands: data, both stages, generation, evaluation."""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leokit.cli import quickstart
from leokit.datasets import CodeCache
import leokit
from leokit.video import read_image
from leokit.video.readers import AutoReader
from support.calling import call_command

ROOT = Path(__file__).resolve().parents[2]
OUT = Path('work_dirs/quickstart')
FRAMES, LONG_FRAMES, SIZE = 32, 45, 32
OPTIONS = dict(
    num_identities=20, long_frames=LONG_FRAMES,
    animator_options=[f'size={SIZE}', 'max_iters=4', 'warmup=1', 'batch_size=2', 'channel_multiplier=0.05',
                      'max_channels=16'],
    motion_options=[f'size={SIZE}', 'max_iters=4', 'sequences_per_batch=4', 'model.backbone.channels=[16,16]',
                    'model.backbone.attention_levels=[1]', 'model.backbone.head_dim=8',
                    'model.sampler.num_inference_steps=4'])
ONE_PROCESS = {'synthetic-faces': ['--workers', 0], 'extract': ['--workers', 1]}


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """A folder that looks like the repository, in which every command of the quickstart has run, made tiny."""
    folder = tmp_path_factory.mktemp('clone')
    for name in ('configs', 'tools'):
        (folder / name).symlink_to(ROOT / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv('LEOKIT_CACHE', str(folder / 'cache'))
        patch.setenv('LEOKIT_STATISTICS', str(folder / 'statistics'))
        for step in quickstart.plan(argparse.Namespace(**OPTIONS)):
            command = step.arguments[0]
            if quickstart.SHIPPED in step.arguments:  # tests/inference/test_zoo.py
                continue
            status, said = call_command(command, *step.arguments[1:], *ONE_PROCESS.get(command, ()))
            assert status == 0, f'{step.command}\n{said}'
            assert step.result.exists(), f'{step.command} left no {step.result}'
        yield folder


def read(path):
    with AutoReader().open(path) as video:
        return video.read(range(len(video))), video.fps


def test_videos_decode_and_have_their_length(clone):
    expected = {'generated': (3, FRAMES), 'long': (2, LONG_FRAMES), 'test_motion/generated': (2, FRAMES)}
    for folder, (count, frames) in expected.items():
        videos = sorted((clone / OUT / folder).rglob('*.mp4'))
        assert len(videos) == count, folder
        for path in videos:
            video, fps = read(path)
            assert video.shape == (frames, SIZE, SIZE, 3) and fps == 25, path
    assert read(clone / OUT / 'animated.mp4')[0].shape == (FRAMES, SIZE, SIZE, 3)


def test_pictures_decode(clone):
    assert read_image(clone / OUT / 'portrait.png').shape == (64, 64, 3)
    sheet = read_image(clone / OUT / 'contact_sheet.png')
    assert sheet.shape[0] > 10 * SIZE and sheet.std() > 10


def test_codes_are_those_of_the_animator(clone):
    animator = leokit.load(clone / OUT / 'animator' / 'animator.py', clone / OUT / 'animator')
    cache = CodeCache(next((clone / OUT).glob('**/codes.npy')).parent, animator.weights_hash())
    assert cache.codes.shape == (OPTIONS['num_identities'] * FRAMES, animator.motion_dim)


def test_metrics_are_there_and_finite(clone, monkeypatch):
    monkeypatch.chdir(clone)
    for name in ('reconstruction', 'generation', 'frozen'):
        scores = json.loads((OUT / f'{name}.json').read_text())
        assert scores and all(math.isfinite(value) for value in scores.values()), name
    table = quickstart.metrics_tables()
    for name in ('l1', 'moving_ssim', 'kvd-efficientnet_lite0_dt@16x1', 'dispersion'):
        assert f'| {name} ' in table
    said = quickstart.summary()
    assert table in said and 'work_dirs/quickstart/contact_sheet.png' in said and 'long/id' in said


@pytest.mark.slow
@pytest.mark.timeout(1200)  # it takes five minutes on two cores that do nothing else
def test_the_quickstart_itself(tmp_path):
    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    command = [sys.executable, 'tools/quickstart.py']
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    scores = json.loads((tmp_path / OUT / 'reconstruction.json').read_text())
    assert scores['reconstruction/ratio_l1'] > 1 and scores['reconstruction/moving_ratio_l1'] > 1
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0 and again.stdout.count('already done') == again.stdout.count('[') > 10
