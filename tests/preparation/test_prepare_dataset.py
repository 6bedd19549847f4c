"""Made videos with planted faults, and metadata that points into them: the right frames in the right box come out."""

import csv
import json
from fractions import Fraction

import av
import numpy as np
import pytest
from support.calling import run_command
from support.dataset_fixtures import (
    NTSC, crop_of, frame_numbers, place_frames, read_frames, write_frames)

from leokit.face_detectors import Face, FaceDetector
from leokit.utils import UserError
from leokit.video import read_manifest

HEAD = ('video_id', 'start', 'end', 'bbox', 'fps', 'width', 'height', 'partition', 'person_id')
SMALL = ('--size', 32, '--min-frames', 8, '--min-side', 16, '--workers', 1, '--crf', 0)


def prepare(dataset, metadata, videos, out, *options):
    run_command('prepare', dataset, *(['--metadata', metadata] if metadata else []), '--videos', videos, '--out', out,
                *SMALL, *options)
    return json.loads((out / 'report.json').read_text())


def table(path, *rows):
    with path.open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        writer.writerows(rows)
    return path


def clip(out, name):
    frames, rate = read_frames(out / f'{name}.mp4')
    return frame_numbers(frames), crop_of(frames), rate


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Videos of 160x120 at 25 and 29.97 frames per second, one of twice the size, and faulty ones."""
    folder = tmp_path_factory.mktemp('made videos')
    write_frames(folder / 'pal________.mp4', place_frames(75))
    write_frames(folder / 'title [-ntsc-_-_-_].mkv', place_frames(75), NTSC)
    write_frames(folder / 'double_____.mp4', place_frames(60, 320, 240))
    write_frames(folder / 'other-shape.mp4', place_frames(60, 160, 96))
    write_frames(folder / 'short______.mp4', place_frames(30))
    cut = [frame if number < 20 else 255 - frame for number, frame in enumerate(place_frames(60))]
    write_frames(folder / 'cut________.mp4', cut)
    black = place_frames(60)
    for number in range(20, 40):
        black[number] = np.zeros_like(black[number])
    write_frames(folder / 'black______.mp4', black)
    whole = (folder / 'short______.mp4').read_bytes()
    (folder / 'broken_____.mp4').write_bytes(whole[:len(whole) // 3])
    (folder / 'empty______.mp4').write_bytes(b'')
    return folder


def test_taichi(videos, tmp_path, capsys):
    """Every planted fault is counted once, and the good clips show their frames and their box."""
    box, size = '40-20-120-100', (160, 120)
    metadata = table(
        tmp_path / 'taichi.csv',
        ('pal________', 30, 60, box, 25.0, *size, 'train', ''),
        ('pal________', 30, 60, box, 25.0, *size, 'train', ''),  # listed twice
        ('pal________', 40, 60, '31-11-110-90', 25, *size, 'train', ''),  # odd sides
        ('-ntsc-_-_-_', 40, 70, box, 29.97, *size, 'test', ''),  # the same rate, rounded
        ('double_____', 12, 48, box, 30, *size, 'train', ''),  # other rate and size than the file
        ('other-shape', 0, 30, box, 25, *size, 'train', ''),
        ('short______', 20, 60, box, 25, *size, 'train', ''),
        ('short______', 0, 5, box, 25, *size, 'train', ''),
        ('short______', 0, 30, '100-20-260-180', 25, *size, 'train', ''),
        ('short______', 0, 30, '10-20-24-34', 25, *size, 'train', ''),
        ('cut________', 5, 45, box, 25, *size, 'train', ''),
        ('black______', 5, 45, box, 25, *size, 'train', ''),
        ('broken_____', 0, 20, box, 25, *size, 'train', ''),
        ('empty______', 0, 20, box, 25, *size, 'train', ''),
        ('gone_______', 0, 20, box, 25, *size, 'train', ''), ('gone_______', 20, 40, box, 25, *size, 'train', ''),
        ('pal________', 50, 40, box, 25, *size, 'train', ''))
    out = tmp_path / 'out ü'
    report = prepare('taichi_hd', metadata, videos, out, '--split-fractions', 1, 0, 0)
    assert report['reasons'] == {
        'invalid metadata': 1, 'duplicate': 1, 'unreadable': 2, 'beyond the end': 1, 'too short': 1,
        'other aspect ratio': 1, 'crop outside the frame': 1, 'low resolution': 1, 'scene cut': 1, 'black': 1}
    assert report['missing'] == {'gone_______': 2} and (out / 'missing.txt').read_text() == 'gone_______\n'
    assert report['wanted']['clips'] == 16 and report['published'] == dict(clips=3334, videos=280)
    assert report['clips'] == report['written'] == 4 and report['splits']['train']['clips'] == 3

    assert report['notes'][-1].startswith('no clip is in val, which the configs use')

    numbers, crop, rate = clip(out, 'pal________#000030#000060')
    assert numbers == list(range(30, 60)) and rate == 25
    assert np.abs(crop - [40, 20, 120, 100]).max() < .5
    numbers, crop, _ = clip(out, 'pal________#000040#000060')
    assert numbers == list(range(40, 60)) and np.abs(crop - [31, 11, 110, 90]).max() < .5
    numbers, crop, rate = clip(out, '-ntsc-_-_-_#000040#000070')
    assert numbers == list(range(40, 70)) and rate == NTSC
    numbers, crop, rate = clip(out, 'double_____#000012#000048')
    # frames i of the file at 25 with 12/30 <= i/25 < 48/30, in a box of twice the size
    assert numbers == list(range(10, 40)) and rate == 25
    frames, _ = read_frames(out / 'double_____#000012#000048.mp4')
    assert np.abs(crop_of(frames, 320, 240) - [80, 40, 240, 200]).max() < .7

    rows = {row['name']: row for row in json.loads((out / 'manifest.json').read_text())}
    row = rows['-ntsc-_-_-_#000040#000070']
    assert (row['identity'], row['split'], row['frames'], row['first_frame']) == ('-ntsc-_-_-_', 'test', 30, 40)
    assert row['crop'] == [40, 20, 120, 100] and row['source_size'] == [160, 120]
    assert row['start'] == pytest.approx(40 * 1001 / 30000) and row['source'].endswith('title [-ntsc-_-_-_].mkv')
    assert len(read_manifest(out / 'manifest.json')) == 4
    page = (out / 'report.html').read_text()
    assert 'other aspect ratio' in page and 'gone_______' in page and '3,334' in page
    said = capsys.readouterr().out
    assert '4 clips, 4 of them new' in said and 'missing: 1 videos with 2 clips' in said


def test_clips_seek_fast(videos, tmp_path):
    metadata = table(tmp_path / 'taichi.csv', ('pal________', 0, 75, '40-20-120-100', 25, 160, 120, 'test', ''))
    prepare('taichi_hd', metadata, videos, tmp_path / 'out', '--keyframe-interval', 10)
    path = tmp_path / 'out' / 'pal________#000000#000075.mp4'
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        keys = [number for number, packet in enumerate(container.demux(stream)) if packet.is_keyframe]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt, stream.codec_context.width) == (
            'h264', 'yuv420p', 32)
    assert max(np.diff([*keys, 75])) <= 10
    content = path.read_bytes()
    assert content.index(b'moov') < content.index(b'mdat')


def test_vox_boxes_are_squeezed_and_people_stay_in_one_split(videos, tmp_path):
    rows = [('pal________#id1', 0, 30, '40-20-100-100', 25, 160, 120, 'train', ''),
            ('-ntsc-_-_-_', 0, 25, '40-20-100-100', 25, 160, 120, 'test', 'id2'),
            ('double_____', 0, 30, '40-20-100-100', 25, 160, 120, 'train', 'id2')]
    report = prepare('vox', table(tmp_path / 'vox.csv', *rows), videos, tmp_path / 'out', '--split-fractions', 1, 0, 0)
    assert report['reasons'] == {'split overlap': 1}
    numbers, crop, rate = clip(tmp_path / 'out', 'id1#pal________#000000#000030')
    assert numbers == list(range(30)) and np.abs(crop - [40, 20, 100, 100]).max() < .5
    # one rate for all of VoxCeleb: one second at 29.97, resampled to 25 by time, is every frame but each sixth
    numbers, _, rate = clip(tmp_path / 'out', 'id2#-ntsc-_-_-_#000000#000025')
    assert rate == 25 and len(numbers) == 25
    assert all(abs(Fraction(number) / NTSC - Fraction(index, 25)) <= 1 / NTSC for index, number in enumerate(numbers))
    assert {(row.identity, row.split) for row in read_manifest(tmp_path / 'out' / 'manifest.json')} == {
        ('id1', 'train'), ('id2', 'test')}


def test_celebv_hq(videos, tmp_path):
    """Fractions, 2 % outward, a square: 160x120 with .25-.75 x .25-.75 is 36.8-123.2 x 27.6-92.4, then 64 about it."""
    clips = {'pal_________0': dict(ytb_id='pal________', duration=dict(start_sec=.519, end_sec=1.6),
                                   bbox=dict(top=.25, bottom=.75, left=.25, right=.75), version='v0.1'),
             '-ntsc-_-_-__1_2': dict(ytb_id='-ntsc-_-_-_', duration=dict(start_sec=1.0, end_sec=2.0),
                                     bbox=dict(top=.25, bottom=.75, left=.25, right=.75), version='v0.1')}
    metadata = tmp_path / 'celebvhq_info.json'
    metadata.write_text(json.dumps(dict(meta_info={}, clips=clips)))
    report = prepare('celebv_hq', metadata, videos, tmp_path / 'out')
    assert report['clips'] == 2 and report['published'] == dict(clips=35666)
    numbers, crop, _ = clip(tmp_path / 'out', 'pal_________0')
    assert numbers == list(range(13, 40))  # 0.51 s is frame 12.75, 1.6 s frame 40
    assert np.abs(crop - [48, 28, 112, 92]).max() < .5
    numbers, _, rate = clip(tmp_path / 'out', '-ntsc-_-_-__1_2')
    assert numbers == list(range(30, 60)) and rate == NTSC  # 29.97 and 59.94


def test_celebv_text(videos, tmp_path):
    """Pixels of a frame of unknown size: what leaves the frame at hand belongs to a larger one."""
    def entry(video, right):
        return dict(ytb_id=video, duration=dict(start_sec=1.0, end_sec=2.0),
                    bbox=dict(top=10, bottom=90, left=20, right=right))

    first = {'pal_________0': entry('pal________', 100), 'pal_________1': entry('pal________', 400)}
    metadata = tmp_path / 'celebvtext_info.json'
    metadata.write_text(json.dumps(dict(clips_set1=first, clips_set2={'pal_________0': first['pal_________0']})))
    report = prepare('celebv_text', metadata, videos, tmp_path / 'out')
    assert report['reasons'] == {'duplicate': 1, 'crop outside the frame': 1} and report['clips'] == 1
    numbers, crop, _ = clip(tmp_path / 'out', 'pal_________0')
    assert numbers == list(range(25, 50)) and np.abs(crop - [20, 10, 100, 90]).max() < .5


def test_faceforensics(tmp_path):
    """The square around the dark area of the mask video, over all its frames."""
    for start, split in enumerate(('test', 'train', 'val')):
        name = f'{split:_<11}_0_zzzzzzzzzzz_1'
        write_frames(tmp_path / 'ff' / split / 'original' / f'{name}.avi', place_frames(20, first=start), 30)
        masks = [np.full((120, 160, 3), 255, np.uint8) for _ in range(20)]
        for number, mask in enumerate(masks):
            mask[30:91, 40 + number:82 + number] = (180, 20, 20)  # columns 40 to 100 over the 20 frames
        write_frames(tmp_path / 'ff' / split / 'mask' / f'{name}.avi', masks, 30)
    report = prepare('faceforensics', None, tmp_path / 'ff', tmp_path / 'out')
    assert {split: counts['clips'] for split, counts in report['splits'].items()} == dict(train=1, val=1, test=1)
    numbers, crop, rate = clip(tmp_path / 'out', 'val/val_________0_zzzzzzzzzzz_1')
    assert numbers == list(range(2, 22)) and rate == 30
    assert np.abs(crop - [40, 30, 100, 90]).max() < 1.6  # the mask is compressed
    assert {row.identity for row in read_manifest(tmp_path / 'out' / 'manifest.json')} == {
        'train______', 'val________', 'test_______'}


class FindSquare(FaceDetector):
    """A detector that finds one face, at the same place of every frame that is 160 pixels wide."""

    def detect(self, frame, *, thorough=False):
        return [Face(np.array((40., 30., 90., 80.)), 1.0)] if frame.shape[1] == 160 else []


# the square of 50 pixels about (65, 55), times the scale of the convention, and shifted down by 3 % of the side
@pytest.mark.parametrize('dataset, side, center', [
    ('faceforensics_pp', 54, (65, 55 + .03 * 54)), ('talkvid', 87.5, (65, 55))])
def test_datasets_without_boxes_are_cropped_to_the_face(videos, tmp_path, monkeypatch, dataset, side, center):
    monkeypatch.setattr('leokit.preparation.clip_crop.build_face_detector', lambda *args, **options: FindSquare())
    metadata, folder = tmp_path / 'metadata.json', tmp_path / 'ff'
    if dataset == 'talkvid':
        folder = videos
        metadata.write_text(json.dumps([
            {'id': f'{name}-scene1', 'start-time': .4, 'end-time': 1.2,
             'info': {'Person ID': '5', 'Video Link': f'https://youtu.be/{name}'}}
            for name in ('pal________', 'double_____')]))
    else:
        metadata.write_text(json.dumps({'000': 'aaaaaaaaaaa 0', '001': 'bbbbbbbbbbb 0', '002': 'ccccccccccc 0'}))
        write_frames(folder / '000.mp4', place_frames(20))
        write_frames(folder / '001.mp4', place_frames(20, 320, 240))
    report = prepare(dataset, metadata, folder, tmp_path / 'out')
    assert report['reasons'] == {'no face': 1} and report['clips'] == 1
    row, = read_manifest(tmp_path / 'out' / 'manifest.json')
    numbers, crop, _ = clip(tmp_path / 'out', row.name)
    assert numbers == (list(range(10, 30)) if dataset == 'talkvid' else list(range(20)))
    x, y = center
    assert np.abs(crop - [x - side / 2, y - side / 2, x + side / 2, y + side / 2]).max() < 1  # whole pixels
    assert row.identity == ('5' if dataset == 'talkvid' else 'aaaaaaaaaaa')
    if dataset == 'faceforensics_pp':
        assert report['missing'] == {'002': 1}


def test_rotated_videos_are_cropped_as_they_are_shown(videos, tmp_path):
    """A display matrix of 90 degrees: the box refers to what a player shows."""
    import subprocess
    sideways = [np.ascontiguousarray(np.rot90(frame, -1)) for frame in place_frames(20)]
    write_frames(tmp_path / 'raw' / 'turned.mp4', sideways)
    turned = tmp_path / 'turned' / 'rotated____.mp4'
    turned.parent.mkdir()
    subprocess.run(['ffmpeg', '-v', 'error', '-i', tmp_path / 'raw' / 'turned.mp4', '-c', 'copy', '-metadata:s:v:0',
                    'rotate=90', turned], check=True)
    metadata = table(tmp_path / 'taichi.csv', ('rotated____', 0, 20, '40-20-120-100', 25, 160, 120, 'test', ''))
    prepare('taichi_hd', metadata, turned.parent, tmp_path / 'out')
    numbers, crop, _ = clip(tmp_path / 'out', 'rotated____#000000#000020')
    assert numbers == list(range(20)) and np.abs(crop - [40, 20, 120, 100]).max() < .5


def test_clips_that_others_have_cut_are_taken_whole(videos, tmp_path):
    folder = tmp_path / 'copy'
    write_frames(folder / 'id1#pal________#000030#000060.mp4', place_frames(30, 64, 64))
    metadata = table(tmp_path / 'vox.csv', ('pal________#id1', 30, 60, '40-20-100-100', 25, 160, 120, 'test', ''))
    report = prepare('vox', metadata, folder, tmp_path / 'out')
    frames, _ = read_frames(tmp_path / 'out' / 'id1#pal________#000030#000060.mp4')
    assert frame_numbers(frames) == list(range(30))
    assert np.abs(crop_of(frames, 64, 64) - [0, 0, 64, 64]).max() < .5
    assert any('already cut' in note for note in report['notes'])


def test_long_clips_are_cut_into_pieces(videos, tmp_path):
    metadata = table(tmp_path / 'taichi.csv', ('pal________', 5, 30, '40-20-120-100', 25, 160, 120, 'test', ''))
    prepare('taichi_hd', metadata, videos, tmp_path / 'out', '--max-frames', 10)
    names = [row.name for row in read_manifest(tmp_path / 'out' / 'manifest.json')]
    assert names == ['pal________#000005#000030_00', 'pal________#000005#000030_01']  # the rest of 5 is too short
    assert clip(tmp_path / 'out', names[1])[0] == list(range(15, 25))


def test_a_second_run_writes_what_is_missing(videos, tmp_path, capsys):
    rows = [('pal________', start, start + 20, '40-20-120-100', 25, 160, 120, 'test', '') for start in (0, 20, 40)]
    rows.append(('late_______', 0, 20, '40-20-120-100', 25, 160, 120, 'test', ''))
    rows.append(('short______', 0, 5, '40-20-120-100', 25, 160, 120, 'test', ''))
    metadata, folder, out = table(tmp_path / 'taichi.csv', *rows), tmp_path / 'raw', tmp_path / 'out'
    folder.mkdir()
    for name in ('pal________', 'short______'):
        (folder / f'{name}.mp4').write_bytes((videos / f'{name}.mp4').read_bytes())
    assert prepare('taichi_hd', metadata, folder, out)['written'] == 3
    kept, lost = (out / f'pal________#{start:06d}#{start + 20:06d}.mp4' for start in (0, 20))
    time = kept.stat().st_mtime_ns
    lost.unlink()
    (out / 'pal________#000040#000060.mp4').write_bytes(b'cut off')  # another length than recorded
    (out / 'manifest.json').unlink()
    (out / 'x.part.mp4').write_bytes(b'of a killed process')
    with (out / 'preparation.jsonl').open('a') as journal:
        journal.write('{"key": "cut o')
    write_frames(folder / 'late_______.mp4', place_frames(30, first=40))
    again = prepare('taichi_hd', metadata, folder, out)
    assert (again['written'], again['clips'], again['missing']) == (3, 4, {})
    assert kept.stat().st_mtime_ns == time and not (out / 'x.part.mp4').exists()
    assert clip(out, lost.stem)[0] == list(range(20, 40))
    with pytest.raises(UserError, match='holds clips of other settings .size=32, not 48.*; pass another folder'):
        prepare('taichi_hd', metadata, folder, out, '--size', 48)


def test_the_same_pixels_under_two_ids_are_one_clip(videos, tmp_path):
    folder = tmp_path / 'raw'
    folder.mkdir()
    for name in ('first______', 'second_____'):
        (folder / f'{name}.mp4').write_bytes((videos / 'pal________.mp4').read_bytes())
    metadata = table(tmp_path / 'taichi.csv', *((name, 0, 20, '40-20-120-100', 25, 160, 120, 'test', '')
                                                for name in ('first______', 'second_____')))
    report = prepare('taichi_hd', metadata, folder, tmp_path / 'out')
    assert report['reasons'] == {'duplicate': 1} and report['clips'] == 1
    assert report['dropped'][0]['detail'] == 'shows the pixels of first______#000000#000020.mp4'


@pytest.mark.slow
def test_a_run_in_processes_gives_the_same_clips(videos, tmp_path):
    metadata = table(tmp_path / 'taichi.csv', *(
        (name, 0, 20, '40-20-120-100', 25, 160, 120, 'test', '')
        for name in ('pal________', 'double_____', 'broken_____')))
    report = prepare('taichi_hd', metadata, videos, tmp_path / 'out', '--workers', 2)
    assert report['clips'] == 2 and report['reasons'] == {'unreadable': 1}
    assert clip(tmp_path / 'out', 'pal________#000000#000020')[0] == list(range(20))


def test_a_full_disk_is_noticed_before_the_work(videos, tmp_path, monkeypatch):
    from collections import namedtuple

    from leokit.video import disk_space
    usage = namedtuple('usage', 'free')
    monkeypatch.setattr(disk_space.shutil, 'disk_usage', lambda folder: usage(1000))
    metadata = table(tmp_path / 'taichi.csv', ('pal________', 0, 100, '40-20-120-100', 25, 160, 120, 'test', ''))
    with pytest.raises(UserError, match='clips with 100 frames of 32x32 pixels need about .* has 1e-06 GB left'):
        prepare('taichi_hd', metadata, videos, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_no_clip_at_all_is_an_error_with_a_report(videos, tmp_path):
    metadata = table(tmp_path / 'taichi.csv', ('broken_____', 0, 20, '40-20-120-100', 25, 160, 120, 'test', ''))
    with pytest.raises(UserError, match=r'no clip of TaichiHD was written .unreadable.; see .*report.html'):
        prepare('taichi_hd', metadata, videos, tmp_path / 'out')
    assert json.loads((tmp_path / 'out' / 'report.json').read_text())['reasons'] == {'unreadable': 1}


@pytest.mark.filterwarnings('ignore::FutureWarning')
def test_mistakes_end_in_one_sentence(videos, tmp_path):
    metadata = table(tmp_path / 'taichi.csv', ('gone_______', 0, 100, '40-20-120-100', 25, 160, 120, 'test', ''))
    for arguments, message in (
            (('taichi_hd', metadata, videos, tmp_path / 'a'), 'none of the 1 videos .* such as gone_______.mp4'),
            (('taichi_hd', metadata, tmp_path / 'nowhere', tmp_path / 'a'), 'is no folder'),
            (('taichi_hd', metadata, videos, videos.parent), 'choose another folder'),
            (('talkvid', metadata, videos, tmp_path / 'a', '--crop', 'dataset'), 'TalkVid has no crop of its own'),
            (('taichihd', metadata, videos, tmp_path / 'a'), "unknown dataset 'taichihd'.*taichi_hd"),
            (('folder', metadata, videos, tmp_path / 'a'), '--metadata, --min-side needs a dataset')):
        with pytest.raises(UserError, match=message) as error:
            prepare(*arguments)
        assert '\n' not in str(error.value)
    assert not (tmp_path / 'a').exists()


def test_clips_with_cuts_become_several(videos, tmp_path):
    """The video is inverted from frame 20 on: a clip of frames 4 to 57 has two shots, one of 5 to 23 a short one."""
    box, size = '40-20-120-100', (160, 120)
    metadata = table(
        tmp_path / 'taichi.csv',
        ('cut________', 4, 58, box, 25, *size, 'train', ''),
        ('cut________', 5, 24, box, 25, *size, 'train', ''),
        ('pal________', 0, 30, box, 25, *size, 'test', ''))
    report = prepare('taichi_hd', metadata, videos, tmp_path / 'out', '--split-at-cuts')
    assert report['clips'] == 4 and report['reasons'] == {'too short': 1}
    assert report['dropped'][0]['detail'] == 'shot 1: 4 frames, 8 needed'
    assert '2 clips were split at scene cuts into 3' in report['notes']
    name = 'cut________#{}_shot{:02d}'
    for clip_name, shot, first, last, inverted in (
            ('000004#000058', 0, 4, 20, False), ('000004#000058', 1, 20, 58, True), ('000005#000024', 0, 5, 20, False)):
        frames, _ = read_frames(tmp_path / 'out' / f'{name.format(clip_name, shot)}.mp4')
        assert frame_numbers(255 - frames if inverted else frames) == list(range(first, last))
    rows = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
    assert [row.get('part_of') for row in rows] == [
        'cut________#000004#000058', 'cut________#000004#000058', 'cut________#000005#000024', None]
    again = prepare('taichi_hd', metadata, videos, tmp_path / 'out', '--split-at-cuts')
    assert again['written'] == 0 and again['notes'] == report['notes']
    with pytest.raises(UserError, match='add it to the checks'):
        prepare('taichi_hd', metadata, videos, tmp_path / 'other', '--split-at-cuts', '--checks', 'black')


HEADER = 'Identity  : \tid10001\nReference : \tpal________\nOffset    : \t-5\nFV Conf   : \t22.127\t(1)\n' \
         'ASD Conf  : \t4.146\n\nFRAME \tX \tY \tW \tH \n'


def annotation(folder, place, rows):
    path = folder / f'{place}.txt'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + ''.join('\t '.join(map(str, row)) + '\n' for row in rows))


def test_voxceleb_by_its_annotations(videos, tmp_path):
    """Videos of 160x120 and 320x240 pixels; boxes at a height of 360, and in fractions of the frame."""
    txt = tmp_path / 'txt'
    # 10 frames further right by 3 pixels each: around all 150 to 297 by 120 to 240, in the file 50 to 99 by 40 to 80
    annotation(txt, 'id10001/pal________/00001',
               [(f'{20 + number:06d}', 150 + 3 * number, 120, 120, 120) for number in range(10)])
    annotation(txt, 'id00012/double_____/00002', [(number, .25, .25, .25, .5) for number in range(5, 25)])
    annotation(txt, 'id10001/pal________/00003', [(number, 3, 120, 120, 120) for number in range(10)])  # at the border
    annotation(txt, 'id10001/pal________/00004', [(number, 150, 120, 120, 120) for number in (1, 2, 9)])  # a gap
    annotation(txt, 'id10001/absent_____/00005', [(number, 150, 120, 120, 120) for number in range(10)])
    report = prepare('voxceleb', txt, videos, tmp_path / 'out')
    assert report['reasons'] == {'invalid metadata': 1, 'crop outside the frame': 1}
    assert report['missing'] == {'absent_____': 1} and report['clips'] == 2
    numbers, crop, rate = clip(tmp_path / 'out', 'id10001#pal________#000020#000030')
    assert (numbers, rate) == (list(range(20, 30)), 25)
    # 49 wide and 40 tall: margins of 4.9 left and right, and as tall as wide, 58.8, around y = 60
    assert np.abs(crop - [45.1, 30.6, 103.9, 89.4]).max() < 1
    numbers, crop, _ = clip(tmp_path / 'out', 'id00012#double_____#000005#000025')
    assert numbers == list(range(5, 25))
    # of 320x240 pixels 80 to 160 by 60 to 180: 120 tall, 144 with the margins, around (120, 120); half of it
    assert np.abs(crop - [24, 24, 96, 96]).max() < 1
    identities = {row.identity for row in read_manifest(tmp_path / 'out' / 'manifest.json')}
    assert identities == {'id10001', 'id00012'}
    for wrong, message in (('out/manifest.json', 'is no folder'), ('out', 'pass the folder txt')):
        with pytest.raises(UserError, match=message):
            prepare('voxceleb', tmp_path / wrong, videos, tmp_path / 'other')
