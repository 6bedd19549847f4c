import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from leokit.evaluation import Clip, ReadOptions, scan_videos
from leokit.evaluation.clip_loader import ClipLoader
from leokit.evaluation.video_set import list_videos
from leokit.utils import UserError
from leokit.video import VideoFilter


@pytest.mark.parametrize('place', ['manifest.json', 'elsewhere.json'])
def test_manifests_define_splits_and_images_are_not_videos(tmp_path, place):
    def names(**options):
        return [entry.name for entry in list_videos(source, **options)[0]]

    source = tmp_path if place == 'manifest.json' else tmp_path / place
    entries = [dict(file='a.mp4', split='train'), dict(file='b.mp4', split='test'), dict(file='p.png', split='test')]
    (tmp_path / place).write_text(json.dumps(entries))
    assert names() == ['a', 'b']
    assert names(filters=VideoFilter(split='test')) == ['b']
    assert names(preferred_split='test') == ['b']
    assert names(preferred_split='val') == ['a', 'b']
    with pytest.raises(UserError, match="has split 'val'; there are: test, train"):
        list_videos(source, VideoFilter(split='val'))
    (tmp_path / place).write_text(json.dumps(entries[2:]))
    with pytest.raises(UserError, match='only images'):
        list_videos(source)


def test_an_array_of_several_videos_is_listed_video_by_video(tmp_path):
    np.save(tmp_path / 's.npy', np.zeros((11, 2, 4, 4, 3), np.uint8))
    listed, _ = list_videos(tmp_path)
    assert [entry.name for entry in listed] == [f's#{number:02d}' for number in range(11)]


def test_formats_rates_and_sizes_are_detected(tmp_path, make, protocol):
    from PIL import Image
    folder = tmp_path / 'set'
    (folder / 'v' / 'frames').mkdir(parents=True)
    make.mp4(folder / 'file.mp4', make.video(0, frames=9, height=32, width=48), fps=30)
    for number, frame in enumerate(make.video(1, frames=7)):
        Image.fromarray(frame).save(folder / 'v' / 'frames' / f'{number}.png')
    make.folder(folder, [2], frames=8)
    # Pillow drops repeated frames, so each frame has its own gray.
    grays = [Image.fromarray(np.full((24, 24, 3), 10 * number, np.uint8)) for number in range(20)]
    grays[0].save(folder / 'moving.gif', save_all=True, append_images=grays[1:], duration=100)
    entries = {entry.name: entry for entry in scan_videos(folder, protocol).entries}
    assert {name: (entry.frames, entry.height, entry.width) for name, entry in entries.items()} == {
        'file': (9, 32, 48), 'v/frames': (7, 24, 24), '002': (8, 24, 24), 'moving': (20, 24, 24)}
    assert entries['file'].fps == pytest.approx(30) and entries['moving'].fps == pytest.approx(10)


def test_unusable_files_are_named_counted_and_left_out(tmp_path, make, protocol):
    folder = make.folder(tmp_path / 'set', [0, 1])
    make.folder(folder, [2], frames=1)
    (folder / 'broken.mp4').write_bytes(b'no video at all')
    (folder / 'empty.mp4').write_bytes(b'')
    np.save(folder / 'float.npy', np.zeros((9, 24, 24, 3), np.float32))
    videos = scan_videos(folder, protocol)
    assert [entry.name for entry in videos.entries] == ['000', '001']
    reasons = {Path(item.file).name: item.reason for item in videos.skipped}
    assert set(reasons) == {'002.npy', 'broken.mp4', 'empty.mp4', 'float.npy'}
    assert 'has 1 frames' in reasons['002.npy'] and 'needs 6' in reasons['002.npy']
    assert '--float-range' in reasons['float.npy']
    assert any('4 of 6 videos' in sentence for sentence in videos.warnings(protocol))


def test_nothing_usable_is_an_error_with_a_reason(tmp_path, make, protocol):
    with pytest.raises(UserError, match='none of the 2 videos .* can be used; .*000.npy: it has 3 frames'):
        scan_videos(make.folder(tmp_path / 'set', [0, 1], frames=3), protocol)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='there are no videos in'):
        scan_videos(tmp_path / 'empty', protocol)


def test_the_hash_depends_on_contents_and_not_on_paths(tmp_path, make, protocol):
    folder = make.folder(tmp_path / 'set', [0, 1])
    before = scan_videos(folder, protocol).manifest_hash
    moved = shutil.copytree(folder, tmp_path / 'elsewhere')
    assert scan_videos(moved, protocol).manifest_hash == before
    np.save(moved / '001.npy', make.video(1) // 2)
    assert scan_videos(moved, protocol).manifest_hash != before


def test_hash_of_a_frame_folder_and_of_one_video_in_an_array(tmp_path, make, protocol):
    from PIL import Image
    (tmp_path / 'set' / 'v').mkdir(parents=True)
    for number, frame in enumerate(make.video(0, frames=7)):
        Image.fromarray(frame).save(tmp_path / 'set' / 'v' / f'{number}.png')
    before = scan_videos(tmp_path / 'set', protocol).manifest_hash
    Image.fromarray(make.video(9)[0]).save(tmp_path / 'set' / 'v' / '3.png')
    assert scan_videos(tmp_path / 'set', protocol).manifest_hash != before
    (tmp_path / 'many').mkdir()
    np.save(tmp_path / 'many' / 's.npy', np.stack([make.video(0), make.video(1), make.video(0)]))
    hashes = [entry.sha256 for entry in scan_videos(tmp_path / 'many', protocol).entries]
    assert hashes[0] == hashes[2] != hashes[1]


def test_copies_mixed_orientation_and_upsampling_are_reported(tmp_path, make, protocol):
    folder = make.folder(tmp_path / 'set', [0])
    np.save(folder / 'copy.npy', make.video(0))
    np.save(folder / 'tall.npy', make.video(1, height=40, width=24))
    np.save(folder / 'wide.npy', make.video(1, height=12, width=24))
    sentences = ' '.join(scan_videos(folder, protocol).warnings(protocol))
    assert 'byte-for-byte copies' in sentences and '1 portrait and 1 landscape' in sentences
    assert '1 videos in' in sentences and 'upsampled' in sentences


def test_square_only_skips_other_shapes(tmp_path, make, protocol):
    folder = make.folder(tmp_path / 'set', [0])
    np.save(folder / 'wide.npy', make.video(1, width=40))
    videos = scan_videos(folder, protocol.changed({'frames.aspect': 'square_only'}))
    assert Path(videos.skipped[0].file).name == 'wide.npy' and 'square videos only' in videos.skipped[0].reason


def test_without_a_resolution_sizes_must_agree(tmp_path, make, protocol):
    free = protocol.changed({'frames.resolution': None})
    folder = make.folder(tmp_path / 'set', [0])
    assert len(scan_videos(folder, free).entries) == 1
    np.save(folder / 'large.npy', make.video(1, height=40, width=40))
    with pytest.raises(UserError, match='several sizes .*24x24, 40x40.*frames.resolution'):
        scan_videos(folder, free)


def test_resampling_needs_a_rate(tmp_path, make, protocol):
    resampling = protocol.changed({'clips.fps': 5})
    folder = make.folder(tmp_path / 'set', [0], frames=40)
    with pytest.raises(UserError, match='state it with --input-fps'):
        scan_videos(folder, resampling)
    videos = scan_videos(folder, resampling, options=ReadOptions(fps=20))
    assert videos.num_windows(resampling) == [5]  # 39 steps at 20 fps are 9 at 5 fps: ten frames


def test_filters_are_those_of_training(tmp_path, make, protocol):
    folder = make.folder(tmp_path / 'set', [0, 1, 2], frames=30)
    entries = [dict(file=f'00{i}.npy', split=split) for i, split in enumerate(('train', 'test', 'test'))]
    (folder / 'manifest.json').write_text(json.dumps(entries))
    videos = scan_videos(folder, protocol, filters=VideoFilter(split='test', segment=(0.7, 1.0)))
    assert [(entry.name, entry.first, entry.frames) for entry in videos.entries] == [('001', 21, 9), ('002', 21, 9)]
    info = videos.info(2)
    assert (info.split, info.filters) == ('test', dict(split='test', segment=(0.7, 1.0)))
    whole = scan_videos(folder, protocol, filters=VideoFilter(split='test'))
    assert whole.manifest_hash != videos.manifest_hash
    clip = ClipLoader(videos, [Clip(0, 1)], protocol=protocol, batches=[np.arange(1)]).load(np.arange(1)).clips[0]
    assert np.array_equal(clip, make.video(1, frames=30)[22:28])


def test_the_split_of_the_protocol_is_used_if_the_source_has_it(tmp_path, make, protocol):
    wanting = protocol.changed({'sampling.split': 'test'})
    for split in ('train', 'test'):
        make.folder(tmp_path / 'set' / split, [len(split)])
    assert [entry.name for entry in scan_videos(tmp_path / 'set', wanting, use_protocol_split=True).entries] == [
        'test/004']
    assert len(scan_videos(tmp_path / 'set', wanting).entries) == 2
    plain = make.folder(tmp_path / 'plain', [0, 1])
    assert len(scan_videos(plain, wanting, use_protocol_split=True).entries) == 2
