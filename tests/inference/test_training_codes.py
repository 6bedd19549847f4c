import numpy as np
import pytest
import torch
from mmengine.config import Config

from leokit.datasets.code_cache import CodeCache
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.engine.data_record import training_crop
from leokit.inference import ensure_codes, training_codes
from leokit.utils import UserError
from leokit.utils.checkpoints import save_checkpoint
from support.processes import CONTEXT, start_process
from support.tiny_models import MOTION_DIM, SIZE, make_animator
from support.tiny_runs import write_models


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A config with an animator and three videos (one unreadable), and no codes yet."""
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    models = write_models(tmp_path)
    (tmp_path / 'videos').mkdir()
    for seed, name in enumerate('ab'):
        frames = np.random.default_rng(seed).integers(0, 256, (4 + seed, SIZE, SIZE, 3), dtype=np.uint8)
        np.save(tmp_path / 'videos' / f'{name}.npy', frames)
    (tmp_path / 'videos' / 'c.mp4').write_bytes(b'nothing')
    return Config(dict(data_root=str(tmp_path / 'videos'), codes_dir=str(tmp_path / 'codes'), animator=dict(
        config=str(models['animator_config']), checkpoint=str(models['animator']))))


def test_codes_are_extracted_once(config, monkeypatch):
    ensure_codes(config)
    cache = CodeCache(config.codes_dir, make_animator().weights_hash())
    assert [(video.name, video.length) for video in cache.videos] == [('a', 4), ('b', 5)] and len(cache.skipped) == 1
    assert cache.animator['checkpoint'] == config.animator.checkpoint
    monkeypatch.setattr(training_codes, 'load', None)  # finished codes need no model and no videos
    config.data_root = 'nowhere'
    ensure_codes(config)
    config.animator.checkpoint = 'nowhere.pth'
    ensure_codes(config)
    config.pop('animator')
    ensure_codes(config)


def test_an_interrupted_extraction_is_resumed(config):
    producer = dict(weights_hash=make_animator().weights_hash(), config='', checkpoint='')
    first = np.full((4, MOTION_DIM), 7, np.float32)
    with pytest.raises(KeyboardInterrupt), CodeCacheWriter(config.codes_dir, MOTION_DIM, animator=producer) as writer:
        writer.add('a', first, identity='a')
        raise KeyboardInterrupt
    ensure_codes(config)
    cache = CodeCache(config.codes_dir)
    assert [video.name for video in cache.videos] == ['a', 'b'] and np.array_equal(cache.codes[:4], first)


def test_codes_of_another_animator_are_an_error(config, tmp_path):
    ensure_codes(config)
    before = (tmp_path / 'codes' / 'codes.npy').read_bytes()
    save_checkpoint(dict(meta={}, state_dict=make_animator(seed=9).state_dict()), tmp_path / 'other' / 'iter_1.pth')
    config.animator.checkpoint = str(tmp_path / 'other')
    with pytest.raises(UserError, match='belong to different animators'):
        ensure_codes(config)
    assert (tmp_path / 'codes' / 'codes.npy').read_bytes() == before


@pytest.mark.parametrize('changes, sentence', [
    ({'animator.checkpoint': 'none.pth'}, 'none.pth does not exist.*leokit extract .* none.pth --videos'),
    ({'animator.config': None}, 'animator.pth carries no config.*leokit extract CONFIG '),
    ({'animator.checkpoint': None}, 'no animator checkpoint is known.*leokit extract .* CHECKPOINT '),
    ({'data_root': 'nowhere'}, 'nowhere does not exist.*--videos nowhere'),
    ({'data_root': None}, 'no data_root.*--videos DIR')])
def test_errors_contain_the_command(config, tmp_path, changes, sentence):
    config.merge_from_dict(changes)
    with pytest.raises(UserError, match=f'no finished motion codes in .*{sentence}'):
        ensure_codes(config)
    assert not (tmp_path / 'codes').exists()


def ensure_in_process(rank, address, config_text, results):
    """Process target: one of two ranks."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group('gloo', init_method=address, rank=rank, world_size=2)
    try:
        ensure_codes(Config.fromstring(config_text, '.py'))
        results.put((rank, None))
    except UserError as error:
        results.put((rank, str(error)))
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize('checkpoint', [None, 'none.pth'])
def test_of_two_processes_one_extracts_and_both_raise_the_same_error(config, tmp_path, checkpoint):
    if checkpoint:
        config.animator.checkpoint = checkpoint
    results = CONTEXT.Queue()
    ranks = [start_process(ensure_in_process, rank, f'file://{tmp_path}/group', config.pretty_text, results)
             for rank in (0, 1)]
    errors = [answer for _, answer in sorted(results.get(timeout=120) for _ in ranks)]
    for rank in ranks:
        rank.join(60)
    if checkpoint:
        assert errors[0] == errors[1] and 'none.pth does not exist' in errors[0]
    else:
        assert errors == [None, None]
        assert [video.name for video in CodeCache(config.codes_dir).videos] == ['a', 'b']


def test_other_configs_need_no_codes():
    ensure_codes(Config(dict(data_root='nowhere')))


def test_frames_become_square_as_in_training():
    config = dict(train_dataloader=dict(dataset=dict(type='FramePairDataset', frames=dict(crop='none'))))
    assert training_crop(config) == 'none'
    assert training_crop({}) == training_crop(dict(train_dataloader=dict(dataset=dict(frames=None)))) == 'center'
