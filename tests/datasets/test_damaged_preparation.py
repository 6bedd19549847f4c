"""``leokit prepare`` and ``leokit extract``: a damaged stretch of a video costs itself, and is named."""

import csv
import json
import re

import numpy as np
import pytest
from support.calling import run_command
from support.damaged_videos import FRAMES, make_damaged, needs_ffmpeg
from support.tiny_models import MOTION_DIM

from leokit.datasets.code_cache import CodeCache
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.datasets.coded_frame_dataset import CodedFrameDataset
from leokit.datasets.motion_code_dataset import MotionCodeDataset
from leokit.inference import extract_motion_codes
from leokit.video.readers import AutoReader
from leokit.video.video_index import VideoIndex

pytestmark = needs_ffmpeg
KEPT = {0: 32, 48: 120}  # first frame and end, of a video whose packet 32 is damaged and has a key frame at 48


@pytest.fixture
def made(tmp_path):
    made = make_damaged(tmp_path / 'raw', 'anna.mp4', [32])
    assert made.changed == list(range(32, 48))
    return made


def read(path):
    with AutoReader().open(path) as video:
        return video.read(range(len(video))).astype(int)


def check_clips(folder, made, name):
    whole = read(made.whole)[:, :, 20:140]  # the central square
    assert sorted(path.name for path in folder.glob('*.mp4')) == [f'{name}_from{first}.mp4' for first in KEPT]
    for first, last in KEPT.items():
        shown = read(folder / f'{name}_from{first}.mp4')
        assert len(shown) == last - first
        errors = {shift: np.abs(shown[1:-1] - whole[first + 1 + shift:last - 1 + shift]).mean() for shift in (-1, 0, 1)}
        assert errors[0] < 6 and errors[0] < 0.7 * min(errors[-1], errors[1])


def test_a_folder(made, tmp_path, capsys):
    arguments = ('folder', '--videos', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 120, '--crf', 5)
    run_command('prepare', *arguments)
    output = capsys.readouterr().out
    assert '2 clips, 2 of them new' in output
    assert 'anna.mp4: damage in frames 32 to 47 (1.28 s to 1.92 s)' in output
    check_clips(tmp_path / 'out', made, 'anna')
    rows = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
    assert [(row['first_frame'], row['frames'], row['identity']) for row in rows] == [(0, 32, 'anna'), (48, 72, 'anna')]
    run_command('prepare', *arguments)
    assert '2 clips, 0 of them new' in capsys.readouterr().out


def test_pieces_of_a_folder(made, tmp_path, capsys):
    run_command('prepare', 'folder', '--videos', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 120,
                '--max-frames', 40, '--min-frames', 16)
    assert 'damage in frames 32 to 39 (1.28 s to 1.60 s), 40 to 47 (1.60 s to 1.92 s)' in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / 'out').glob('*.mp4')) == [
        'anna_00_from0.mp4', 'anna_01_from48.mp4', 'anna_02.mp4']


def test_a_dataset(made, tmp_path):
    with (tmp_path / 'taichi.csv').open('w', newline='') as file:
        csv.writer(file).writerows([
            ('video_id', 'start', 'end', 'bbox', 'fps', 'width', 'height', 'partition'),
            ('anna', 0, FRAMES, '20-0-140-120', 25, 160, 120, 'train'),
            ('anna', 60, 100, '20-0-140-120', 25, 160, 120, 'train'),
            ('anna', 34, 44, '20-0-140-120', 25, 160, 120, 'train')])
    run_command('prepare', 'taichi_hd', '--metadata', tmp_path / 'taichi.csv', '--videos', tmp_path / 'raw', '--out',
                tmp_path / 'out', '--size', 120, '--min-frames', 8, '--min-side', 16, '--workers', 1, '--crf', 5,
                '--checks', 'none')
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['reasons'] == {'damaged': 2} and report['clips'] == 3
    assert [(drop['clip'], drop['detail']) for drop in report['dropped']] == [
        ('anna#000000#000120', 'frames 32 to 47 (1.28 s to 1.92 s)'),
        ('anna#000034#000044', 'frames 34 to 43 (1.36 s to 1.76 s)')]
    (tmp_path / 'out' / 'anna#000060#000100.mp4').unlink()  # the clip beyond the damage is whole
    check_clips(tmp_path / 'out', made, 'anna#000000#000120')


def extract(animator, folder, out):
    index = VideoIndex(folder, cache_probes=False)
    with CodeCacheWriter(out, MOTION_DIM, animator=dict(weights_hash=animator.weights_hash())) as writer:
        return extract_motion_codes(animator, index, writer, show_progress=False)


def test_codes(animator, made, tmp_path, clips):
    (tmp_path / 'reference').mkdir()
    (tmp_path / 'reference' / 'anna.mp4').write_bytes(made.whole.read_bytes())
    for folder in ('raw', 'reference'):
        clips.write(tmp_path / folder / 'bert.mp4', clips.frames(12))
    extract(animator, tmp_path / 'reference', tmp_path / 'expected')
    report = extract(animator, tmp_path / 'raw', tmp_path / 'codes')
    assert report == (2, 12 + 32 + 72, 0, 1)
    expected, found = CodeCache(tmp_path / 'expected'), CodeCache(tmp_path / 'codes')
    offsets = {video.name: video.offset for video in expected.videos}
    assert [video.name for video in found.videos] == ['bert', 'anna_from0', 'anna_from48']
    for video in found.videos:
        start = offsets[video.video] + video.first
        np.testing.assert_allclose(found.codes[video.offset:video.offset + video.length],
                                   expected.codes[start:start + video.length], atol=1e-4)
    assert [(video.identity, video.whole, video.parts) for video in found.videos[1:]] == [('anna', 120, 2)] * 2
    reason = found.skipped[0].reason
    assert reason == 'frames 32 to 47 (1.28 s to 1.92 s) are damaged; the codes of the others are kept'
    assert re.search(r'anna\.mp4 \(in part\)', found.skipped[0].file)
    # complete: nothing is encoded again
    assert extract(animator, tmp_path / 'raw', tmp_path / 'codes')[:3] == (0, 0, 2)


def test_an_interruption_between_two_stretches(animator, made, tmp_path, monkeypatch):
    add, names = CodeCacheWriter.add, []

    def stop_at_the_second(self, name, *args, **options):
        if len(names) == 1:
            raise KeyboardInterrupt
        names.append(name)
        add(self, name, *args, **options)
    monkeypatch.setattr(CodeCacheWriter, 'add', stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        extract(animator, tmp_path / 'raw', tmp_path / 'codes')
    monkeypatch.setattr(CodeCacheWriter, 'add', add)
    assert extract(animator, tmp_path / 'raw', tmp_path / 'codes')[:2] == (1, 72)
    assert [video.name for video in CodeCache(tmp_path / 'codes').videos] == ['anna_from0', 'anna_from48']


def test_training_on_the_codes_of_stretches(animator, made, tmp_path):
    extract(animator, tmp_path / 'raw', tmp_path / 'codes')
    windows = MotionCodeDataset(tmp_path / 'codes', 30, data_root=tmp_path / 'raw')
    # 3 windows of 32 codes and 43 of 72; none across the gap
    assert len(windows) == 3 + 43 and {video.identity for video in windows.videos} == {'anna'}
    first = MotionCodeDataset(tmp_path / 'codes', 30, data_root=tmp_path / 'raw', filters=dict(segment=(0, 0.8)))
    rest = MotionCodeDataset(tmp_path / 'codes', 24, data_root=tmp_path / 'raw', filters=dict(segment=(0.8, 1)))
    # 80 % of the whole video are 96 frames: 48 codes of the second stretch, and 24 of it beyond
    assert len(first) == 3 + 19 and rest.spans == [(32 + 48, 24)]
    frames = CodedFrameDataset(tmp_path / 'raw', animator.size, codes_dir=tmp_path / 'codes', frames_per_video=2)
    cache = CodeCache(tmp_path / 'codes')
    assert [(video.first, video.last) for video in frames.videos] == list(KEPT.items())
    item = frames[3]  # of frames 48 to 120 the center of the second half
    assert item['data_samples']['start'] == 48 + 54
    np.testing.assert_array_equal(item['inputs']['motion'], cache.codes[32 + 54])
