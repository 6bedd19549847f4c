"""Codes of every frame, whatever the batches; interruptions and broken videos lose nothing else."""

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.datasets.code_cache import CodeCache
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.datasets.motion_code_dataset import MotionCodeDataset
from leokit.inference import code_extraction, extract_motion_codes
from leokit.inference.code_extraction import _Item, _Packer, _decode
from leokit.inference.frame_encoder import frame_encoder
from leokit.utils import UserError, process_streams
from leokit.utils.pixels import from_uint8
from leokit.video.manifest import write_manifest
from leokit.video.video_index import VideoIndex
from support.tiny_models import MOTION_DIM, SIZE, make_animator

LENGTHS = dict(a=5, b=1, c=9)


@pytest.fixture
def videos(tmp_path):
    """Three videos as arrays, shape (T, S, S, 3)."""
    generator = np.random.default_rng(0)
    folder = tmp_path / 'videos'
    folder.mkdir()
    frames = {name: generator.integers(0, 256, (length, SIZE, SIZE, 3), dtype=np.uint8)
              for name, length in LENGTHS.items()}
    for name, video in frames.items():
        np.save(folder / f'{name}.npy', video)
    return folder, frames


@pytest.fixture(params=['threads', 'processes'])
def decoding(request, monkeypatch):
    """The same with both; by default, three short videos are decoded in threads."""
    calls = []
    name = dict(threads='prefetch_in_turn', processes='process_in_turn')[request.param]
    decode = getattr(code_extraction, name)
    monkeypatch.setattr(code_extraction, name, lambda *args: calls.append(name) or decode(*args))
    if request.param == 'processes':
        monkeypatch.setattr(process_streams, 'MIN_PROCESSES', 1)
    yield
    assert set(calls) == {name}


def extract(animator, folder, out, **options):
    index = VideoIndex(folder, cache_probes=False)
    with CodeCacheWriter(out, MOTION_DIM, animator=dict(weights_hash=animator.weights_hash())) as writer:
        return extract_motion_codes(animator, index, writer, show_progress=False, **options)


def codes_of(animator, frames):
    with torch.no_grad():
        return animator.encode(from_uint8(torch.from_numpy(frames.transpose(0, 3, 1, 2).copy()))).motion.numpy()


@pytest.mark.parametrize('batch_size, workers', [(1, 1), (4, 3), (100, 2)])
def test_codes_are_those_of_the_frames(animator, videos, tmp_path, decoding, batch_size, workers):
    folder, frames = videos
    report = extract(animator, folder, tmp_path / 'codes', batch_size=batch_size, workers=workers)
    assert report == (3, 15, 0, 0)
    cache = CodeCache(tmp_path / 'codes', animator.weights_hash())
    assert {video.name: video.length for video in cache.videos} == LENGTHS
    for video in cache.videos:
        codes = cache.codes[video.offset:video.offset + video.length]
        np.testing.assert_allclose(codes, codes_of(animator, frames[video.name]), atol=1e-4)


def test_batches_are_full_but_the_last(animator, videos, tmp_path, monkeypatch):
    sizes = []
    encode = animator.encoder.forward
    monkeypatch.setattr(animator.encoder, 'forward', lambda images: sizes.append(len(images)) or encode(images))
    extract(animator, videos[0], tmp_path / 'codes', batch_size=4)
    assert sizes == [4, 4, 4, 3]


def test_an_interrupted_extraction_is_resumed(animator, videos, tmp_path, monkeypatch):
    folder, frames = videos
    add = CodeCacheWriter.add

    def fail_at_c(self, name, codes, **options):
        if name == 'c':
            raise KeyboardInterrupt
        add(self, name, codes, **options)

    monkeypatch.setattr(CodeCacheWriter, 'add', fail_at_c)
    with pytest.raises(KeyboardInterrupt):
        extract(animator, folder, tmp_path / 'codes', batch_size=2)
    monkeypatch.undo()
    assert extract(animator, folder, tmp_path / 'codes') == (1, 9, 2, 0)
    assert extract(animator, folder, tmp_path / 'codes') == (0, 0, 3, 0)
    cache = CodeCache(tmp_path / 'codes')
    np.testing.assert_allclose(cache.codes[6:], codes_of(animator, frames['c']), atol=1e-4)


def test_a_video_that_cannot_be_decoded_to_its_end_is_skipped(animator, videos, tmp_path, decoding):
    folder, frames = videos
    broken = folder / 'b2'
    broken.mkdir()
    for number in range(40):  # more than one decoded piece
        Image.fromarray(frames['a'][0]).save(broken / f'{number:03d}.png')
    index = VideoIndex(folder, cache_probes=False)
    (broken / '035.png').write_bytes(b'not an image any more')
    with CodeCacheWriter(tmp_path / 'codes', MOTION_DIM,
                         animator=dict(weights_hash=animator.weights_hash())) as writer:
        report = extract_motion_codes(animator, index, writer, batch_size=7, show_progress=False)
    assert report == (3, 15, 0, 1)
    assert writer.skipped[0].file == str(broken) and '035.png' in writer.skipped[0].reason
    cache = CodeCache(tmp_path / 'codes')
    assert [video.name for video in cache.videos] == ['a', 'b', 'c']
    np.testing.assert_allclose(cache.codes[6:], codes_of(animator, frames['c']), atol=1e-4)


def test_another_animator_is_an_error(animator, videos, tmp_path):
    extract(animator, videos[0], tmp_path / 'codes')
    with pytest.raises(UserError, match='animator'):
        extract(make_animator(seed=3), videos[0], tmp_path / 'codes')


def test_codes_that_are_not_finite_are_an_error(videos, tmp_path):
    animator = make_animator()
    with torch.no_grad():
        next(animator.encoder.parameters()).fill_(torch.nan)
    with pytest.raises(UserError, match='not finite'):
        extract(animator, videos[0], tmp_path / 'codes')


def test_threads_end_when_the_consumer_stops(videos):
    import threading
    before = threading.active_count()
    index = VideoIndex(videos[0], cache_probes=False)

    class Endless:
        size = 8

        def stream(self, video):
            while True:
                yield np.zeros((1, 3, 8, 8), np.uint8)

    decoding = _decode([_Item(video) for video in index], Endless(), workers=3)
    next(decoding)
    assert threading.active_count() > before
    decoding.close()
    assert threading.active_count() == before


def test_frames_of_a_dropped_video_are_not_encoded(animator, videos):
    index = VideoIndex(videos[0], cache_probes=False)
    first, second = index.videos[:2]
    packer = _Packer(frame_encoder(animator.encoder, amp=False), 100, torch.device('cpu'))
    packer.add(first, np.zeros((3, 3, SIZE, SIZE), np.uint8))
    packer.end(first)
    packer.add(second, np.zeros((2, 3, SIZE, SIZE), np.uint8))
    packer.drop(second)
    packer.drop(second)  # nothing of it is left
    assert [(video.name, codes.shape) for video, codes in packer.finished(flush=True)] == [('a', (3, MOTION_DIM))]


def test_a_changed_split_is_taken_over_by_existing_codes(animator, videos, tmp_path):
    folder, _ = videos
    extract(animator, folder, tmp_path / 'codes')
    rows = [dict(file=str(video.path), name=video.name, identity='anna', split='test')
            for video in VideoIndex(folder, cache_probes=False)]
    write_manifest(tmp_path / 'manifest.json', rows)
    assert extract(animator, tmp_path / 'manifest.json', tmp_path / 'codes') == (0, 0, 3, 0)
    assert {(video.identity, video.split) for video in CodeCache(tmp_path / 'codes').videos} == {('anna', 'test')}


def test_a_replaced_video_of_equal_length_is_a_warning(animator, videos, tmp_path, monkeypatch):
    folder, frames = videos
    warnings = []
    monkeypatch.setattr(code_extraction, 'print_log', lambda text, **options: warnings.append(text))
    extract(animator, folder, tmp_path / 'codes')
    extract(animator, folder, tmp_path / 'codes')
    assert warnings == []
    np.save(folder / 'c.npy', np.zeros((LENGTHS['c'], SIZE + 2, SIZE + 2, 3), np.uint8))
    extract(animator, folder, tmp_path / 'codes')
    assert len(warnings) == 1
    assert warnings[0].startswith('1 videos are not those that the codes were extracted from '
                                  f'({folder}/c.npy had 9 frames')


def mixed_rates(folder):
    """A video of 12 frames at 30 a second, and two of 20 and 10 at 25."""
    frames = np.random.default_rng(1).integers(0, 256, (20, SIZE, SIZE, 3), dtype=np.uint8)
    for name, count in (('x', 12), ('y', 20), ('z', 10)):
        np.save(folder / f'{name}.npy', frames[:count])
    write_manifest(folder / 'manifest.json', [dict(file='x.npy', fps=30), dict(file='y.npy', fps=25),
                                              dict(file='z.npy', fps=25)])
    return frames


def test_other_rates_are_resampled_before_encoding(animator, tmp_path, decoding, monkeypatch):
    messages = []
    monkeypatch.setattr(code_extraction, 'print_log', lambda message, **_: messages.append(message))
    frames = mixed_rates(tmp_path)
    extract(animator, tmp_path, tmp_path / 'codes')
    assert len(messages) == 1 and '2 of 25, 1 of 30' in messages[0]
    cache = CodeCache(tmp_path / 'codes', animator.weights_hash())
    assert [(video.name, video.length, video.fps) for video in cache.videos] == [
        ('x', 10, 25), ('y', 20, 25), ('z', 10, 25)]
    shown = [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]  # of 12 frames at 30 a second, as ffmpeg -vf fps=25
    np.testing.assert_allclose(cache.codes[:10], codes_of(animator, frames[shown]), atol=1e-5)
    assert MotionCodeDataset(tmp_path / 'codes', 5).fps == 25
    with pytest.raises(UserError, match='have 25 frames per second, not 30'):
        extract(animator, tmp_path, tmp_path / 'codes', fps=30)
    extract(animator, tmp_path, tmp_path / 'codes_30', fps=30)
    assert [video.length for video in CodeCache(tmp_path / 'codes_30').videos] == [12, 24, 12]


def test_codes_of_several_rates_are_an_error_in_training(tmp_path):
    with CodeCacheWriter(tmp_path, MOTION_DIM, animator=dict(weights_hash='ab' * 32)) as writer:
        for name, fps in (('a', 25), ('b', 30)):
            writer.add(name, np.zeros((8, MOTION_DIM)), identity=name, fps=fps)
    with pytest.raises(UserError, match='several frame rates .1 of 25, 1 of 30'):
        MotionCodeDataset(tmp_path, 5)
    assert MotionCodeDataset(tmp_path, 5, filters=dict(identities=['b'])).fps == 30
