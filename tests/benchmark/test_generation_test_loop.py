"""Testing a motion diffusion on video: what metrics get, and what does not change it."""

import numpy as np
import pytest
import torch
from mmengine.config import Config

from leokit.benchmark.generation_test_loop import clip_generators
from leokit.engine import LeoRunner
from leokit.utils import UserError
from leokit.video.readers import AutoReader
from support.recorder import seen
from support.tiny_models import MOTION_DIM, SIZE, WINDOW, make_animator
from support.tiny_runs import write_models

FRAMES, CLIPS = 7, 3


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp('models'))


@pytest.fixture
def make_config(models, tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    videos = tmp_path / 'videos'
    videos.mkdir()
    for number in range(CLIPS):
        frames = np.random.default_rng(number).integers(0, 256, (FRAMES + 2, SIZE, SIZE, 3), dtype=np.uint8)
        np.save(videos / f'{number}.npy', frames)

    def make(batch_size=2, size=SIZE, **test_cfg):
        model = Config.fromfile(models['motion_config']).model
        return Config(dict(
            default_scope='leokit', work_dir=str(tmp_path / 'work'), load_from=str(models['motion']), model=model,
            animator=dict(config=str(models['animator_config']), checkpoint=str(models['animator'])),
            test_dataloader=dict(
                batch_size=batch_size, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type='default_collate'),
                dataset=dict(type='ClipDataset', data_root=str(videos), size=size, num_frames=FRAMES)),
            test_evaluator=[dict(type='Recorder', name='video')],
            test_cfg=dict(type='GenerationTestLoop', **test_cfg)))
    return make


def run(config):
    seen.clear()
    metrics = LeoRunner.from_cfg(config).test()
    return metrics, seen['video']


def test_what_metrics_get(make_config):
    metrics, rows = run(make_config(motion_evaluator=[dict(type='Recorder', name='motion')]))
    assert metrics == {'video/count': CLIPS, 'motion/count': CLIPS}
    assert [row['name'] for row in rows] == ['0', '1', '2']
    for row in rows:
        assert row['generated'].shape == row['real'].shape == (FRAMES, 3, SIZE, SIZE)
        assert (row['generated'][1:] - row['generated'][:-1]).abs().max() > 0.01
        assert row['generated'].abs().max() <= 1
    codes = seen['motion'][0]
    assert codes['generated'].shape == codes['real'].shape == (FRAMES, MOTION_DIM)
    torch.testing.assert_close(codes['generated'][0], codes['real'][0])


def test_a_clip_does_not_depend_on_its_batch(make_config):
    alone = run(make_config(batch_size=1))[1]
    together = run(make_config(batch_size=3))[1]
    other = run(make_config(batch_size=3, seed=1))[1]
    for left, right, third in zip(alone, together, other):
        torch.testing.assert_close(left['generated'], right['generated'], atol=2e-4, rtol=0)
        assert (right['generated'] - third['generated']).abs().max() > 0.01


def test_several_sequences_from_one_start(make_config):
    one = run(make_config(motion_evaluator=[dict(type='Recorder', name='motion')]))[1]
    config = make_config(num_sequences=3, motion_evaluator=[
        dict(type='Recorder', name='motion'), dict(type='MotionStatistics', segments=2)])
    metrics, rows = run(config)
    for row, alone, codes in zip(rows, one, seen['motion'], strict=True):
        torch.testing.assert_close(row['generated'], alone['generated'], atol=2e-4, rtol=0)  # the first is rendered
        assert codes['generated'].shape == (3, FRAMES, MOTION_DIM)
        assert torch.equal(codes['generated'][0, 0], codes['generated'][2, 0])
        assert (codes['generated'][0] - codes['generated'][2]).abs().max() > 0.1
    assert metrics['motion/diversity'] > 0.1
    with pytest.raises(UserError, match='num_sequences must be at least 1'):
        run(make_config(num_sequences=0))


def test_frozen_and_real_motion_as_baselines(make_config):
    animator = make_animator()
    frozen = run(make_config(motion='frozen'))[1][0]['generated']
    assert torch.equal(frozen[0], frozen[-1])
    row = run(make_config(motion='real'))[1][0]
    with torch.no_grad():
        source = animator.encode(row['real'][:1])
        expected = animator.animate(source, animator.encode(row['real']).motion[None]).frames[0].clamp(-1, 1)
    torch.testing.assert_close(row['generated'], expected, atol=2e-4, rtol=0)
    with pytest.raises(UserError, match='generated, frozen, real'):
        run(make_config(motion='none'))


def test_files(make_config, tmp_path):
    run(make_config(out_dir='samples'))
    folder = tmp_path / 'work' / 'samples'
    assert sorted(path.name for path in folder.iterdir()) == [
        '0_000000.mp4', '1_000000.mp4', '2_000000.mp4', 'sheet.png']
    with AutoReader().open(folder / '0_000000.mp4') as video:
        assert len(video) == FRAMES


def test_clips_and_animators_that_do_not_fit(make_config, models):
    with pytest.raises(UserError, match='resolution 64, the animator 32'):
        run(make_config(size=64))
    with pytest.raises(UserError, match='builds MotionDiffusion'):
        run(make_config(animator=dict(config=str(models['motion_config']), checkpoint=str(models['motion']))))


def test_noise_of_a_clip():
    def draw(*arguments):
        return [torch.randn(3, generator=generator) for generator in clip_generators(*arguments)]

    first = draw(0, ['a', 'b'], [0, 16])
    assert torch.equal(draw(0, ['b'], torch.tensor([16]))[0], first[1])
    for other in (draw(1, ['a'], [0]), draw(0, ['a'], [16]), draw(0, ['b'], [0])):
        assert not torch.equal(other[0], first[0])


def test_long_clips_use_the_model_s_strategy(make_config):
    def generated(frames, **strategy):
        config = make_config()
        config.test_dataloader.dataset.num_frames = frames
        config.model.long_video = strategy or None
        return torch.stack([row['generated_motion'] for row in run(config)[1]])

    plain, overlapping = generated(FRAMES), generated(FRAMES, type='Overlap', overlap=2)
    assert FRAMES > WINDOW and (plain - overlapping)[:, WINDOW:].abs().max() > 1e-3
    # one window has no boundary
    torch.testing.assert_close(generated(WINDOW), generated(WINDOW, type='Overlap', overlap=2))
    with pytest.raises(UserError, match='NoSuchStrategy'):
        generated(FRAMES, type='NoSuchStrategy')


def test_clips_of_absolute_names_stay_in_the_work_dir(make_config, tmp_path):
    config = make_config(out_dir='clips')
    (tmp_path / 'elsewhere').mkdir()
    runner = LeoRunner.from_cfg(config)
    runner.test_loop._write_clip(dict(
        name=str(tmp_path / 'elsewhere' / 'a'), start=0, generated=torch.zeros(2, 3, SIZE, SIZE),
        real=torch.zeros(2, 3, SIZE, SIZE)))
    assert list((tmp_path / 'elsewhere').iterdir()) == []
    written = list(runner.test_loop.clip_dir.rglob('*.mp4'))
    assert [path.name for path in written] == ['a_000000.mp4']
