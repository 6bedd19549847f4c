"""The metadata of every dataset, written by hand with the traps of the published files."""

import json
from fractions import Fraction

import pytest

from leokit.preparation import ClipTimes
from leokit.registry import METADATA_READERS
from leokit.utils import UserError

HEAD = 'video_id,start,end,bbox,fps,width,height,partition'
NTSC = Fraction(30000, 1001)


def read(dataset, metadata, videos='.'):
    from pathlib import Path
    return METADATA_READERS.build(dict(type=dataset)).read(metadata, Path(videos))


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_taichi(tmp_path):
    table = write(tmp_path / 'taichi-metadata.csv', f'{HEAD}\n'
                  '-_a-b_c-d_e,120,248,10-20-110-120,29.97,640,360,train\n'
                  'xYzxYzxYz_1,0,1024,0-0-360-360,23.97,1280,720,test\n')
    first, second = read('taichi_hd', table).records
    assert (first.video, first.identity, first.split) == ('-_a-b_c-d_e', '-_a-b_c-d_e', 'train')
    assert first.name == '-_a-b_c-d_e#000120#000248' and first.times == ClipTimes(120, 248, NTSC)
    assert first.box == (10, 20, 110, 120, (640, 360))
    assert second.split == 'test' and second.times.frame_rate == Fraction(24000, 1001)


def test_vox(tmp_path):
    table = write(tmp_path / 'vox-metadata.csv', f'{HEAD},person_id\n'
                  'a-b#id10001,0,64,1-2-31-42,25,640,360,train,\nzz,64,128,1-2-31-42,25,640,360,test,id10270\n')
    first, second = read('vox', table).records
    assert (first.video, first.identity, first.name) == ('a-b', 'id10001', 'id10001#a-b#000000#000064')
    assert (second.video, second.identity, second.split) == ('zz', 'id10270', 'test')


def test_ted_is_refused_with_the_reason(tmp_path):
    table = write(tmp_path / 'ted.csv', f'{HEAD}\nabc#120#248,0,0,10-20-110-120,10.0,384,384,train\n')
    with pytest.raises(UserError, match='TED-talks, which cannot be rebuilt .* crop was is not in the file'):
        read('taichi_hd', table)


@pytest.mark.parametrize('row, problem', [
    ('v,10,5,1-2-3-4,25,640,360,train', 'starts at 10 and ends at 5'),
    ('v,0,5,1-2-3,25,640,360,train', "bbox is '1-2-3'"), ('v,0,5,9-2-3-4,25,640,360,train', 'its box is empty'),
    ('v,0,5,1-2-3-4,nan,640,360,train', "fps is 'nan'"), ('v,0,5,1-2-3-4,0,640,360,train', 'rate'),
    ('v,0.5,5,1-2-3-4,25,640,360,train', 'must be frames'), ('v,0,5,1-2-3-4,25,0,360,train', 'width and height'),
    ('v,0,5,1-2-3-4,25,640,360,other', "partition is 'other'"), (',0,5,1-2-3-4,25,640,360,train', 'video_id'),
    ('v,0,5', 'another number of values')])
def test_wrong_rows_are_listed(tmp_path, row, problem):
    good = 'v,0,5,1-2-3-4,25,640,360,train\n' * 2
    metadata = read('vox', write(tmp_path / 'vox.csv', f'{HEAD}\n{good}{row}\n'))
    assert len(metadata.records) == 2
    assert [(drop.clip, drop.reason) for drop in metadata.invalid] == [('line 4', 'invalid metadata')]
    assert problem in metadata.invalid[0].detail
    with pytest.raises(UserError, match='1 of the 1 entries of .*vox.csv describe no clip; the first, line 2: '):
        read('vox', write(tmp_path / 'vox.csv', f'{HEAD}\n{row}\n'))


def celebv(box, key='abc_d-e_f__1_0', video='abc_d-e_f__', start=1.239, end=2.5):
    sides = dict(zip(('top', 'bottom', 'left', 'right'), box))
    return {key: dict(ytb_id=video, duration=dict(start_sec=start, end_sec=end), bbox=sides, version='v0.1')}


def test_celebv_hq(tmp_path):
    """The id is a field, since names and ids both contain underscores; hundredths are cut off, not rounded."""
    path = write(tmp_path / 'info.json', dict(meta_info={}, clips=celebv((.1, .6, .2, .7))))
    record, = read('celebv_hq', path).records
    assert (record.name, record.video, record.identity) == ('abc_d-e_f__1_0', 'abc_d-e_f__', 'abc_d-e_f__')
    assert record.split is None and record.times == ClipTimes(Fraction('1.23'), Fraction('2.5'))
    assert record.box == (Fraction('.2'), Fraction('.1'), Fraction('.7'), Fraction('.6'), (1, 1))


def test_celebv_hq_with_pixels_is_no_clip(tmp_path):
    path = write(tmp_path / 'info.json', dict(clips=celebv((10, 60, 20, 70))))
    with pytest.raises(UserError, match='not in fractions of the frame'):
        read('celebv_hq', path)


def test_celebv_text(tmp_path):
    """Two sets, of which the second repeats names; times under the names of frames; boxes in pixels of some frame."""
    clip = celebv((10, 60, 20, 70))
    frames = {'k_1': dict(clip['abc_d-e_f__1_0'], duration=dict(start_frame=3.0, end_frame=4.0))}
    metadata = read('celebv_text', write(tmp_path / 'info.json', dict(clips_set1=clip | frames, clips_set2=clip)))
    assert [record.name for record in metadata.records] == ['abc_d-e_f__1_0', 'k_1', 'abc_d-e_f__1_0']
    assert metadata.records[0].box == (20, 10, 70, 60, None)
    assert metadata.records[1].times == ClipTimes(3, 4)
    for content in (dict(clips=clip), {'abc_d-e_f__1_0.mp4': clip['abc_d-e_f__1_0']}):
        record, = read('celebv_text', write(tmp_path / 'info.json', content)).records
        assert record.name == 'abc_d-e_f__1_0'


def test_talkvid(tmp_path):
    clip = {'id': 'videovideoTr6MMsoW_-g-scene1', 'height': 1080, 'width': 1920, 'fps': 24.0, 'start-time': 0.1,
            'start-frame': 0, 'end-time': 5.141666666666667, 'end-frame': 121,
            'info': {'Person ID': '597', 'Video Link': 'https://www.youtube.com/watch?v=Tr6MMsoW_-g&t=3'}}
    record, = read('talkvid', write(tmp_path / 'talkvid.json', [clip])).records
    assert (record.video, record.identity, record.box) == ('Tr6MMsoW_-g', '597', None)
    assert record.times == ClipTimes(Fraction('.1'), Fraction('5.141666666666667'))
    with pytest.raises(UserError, match='holds no id of a video'):
        read('talkvid', write(tmp_path / 'talkvid.json', [clip | dict(info={'Person ID': 1, 'Video Link': 'x'})]))


def test_faceforensics(tmp_path):
    files = dict(train=['abc_d-e_f_1_0_zzzzzzzzzzz_3', 'bbbbbbbbbbb_0_zzzzzzzzzzz_1'], val=['c' * 11])
    for split, names in files.items():
        for name in names:
            for kind in ('original', 'mask', 'altered'):
                (tmp_path / split / kind).mkdir(parents=True, exist_ok=True)
                (tmp_path / split / kind / f'{name}.avi').write_bytes(b'x')
    (tmp_path / 'val' / 'mask' / f'{"c" * 11}.avi').unlink()
    metadata = read('faceforensics', None, tmp_path)
    assert [(record.identity, record.split, record.mask is None) for record in metadata.records] == [
        ('abc_d-e_f_1', 'train', False), ('b' * 11, 'train', False), ('c' * 11, 'val', True)]
    assert metadata.notes == ['1 videos have no mask and are cropped by a face detector']
    with pytest.raises(UserError, match='needs no --metadata'):
        read('faceforensics', tmp_path / 'x.csv', tmp_path)
    with pytest.raises(UserError, match='is not the folder of FaceForensics'):
        read('faceforensics', None, tmp_path / 'train')


def test_faceforensics_pp(tmp_path):
    splits = tmp_path / 'splits'
    splits.mkdir()
    for name, pairs in (('train', [['071', '054']]), ('val', [['000', '003']]), ('test', [['953', '974']])):
        write(splits / f'{name}.json', pairs)
    with pytest.raises(UserError, match='does not exist'):
        read('faceforensics_pp', splits / 'nowhere', tmp_path)
    videos = tmp_path / 'ff' / 'original_sequences' / 'youtube'
    (videos / 'c23' / 'videos').mkdir(parents=True)
    (videos / 'c23' / 'videos' / '071.mp4').write_bytes(b'x')
    assert [(record.video, record.identity, record.split, record.path.exists())
            for record in read('faceforensics_pp', splits, tmp_path / 'ff').records][:3] == [
        ('000', '000', 'val', False), ('003', '003', 'val', False), ('054', '054', 'train', False)]
    conversion = write(splits / 'conversion_dict.json', {'071': 'abc_d-e_f_1 0', '054': 'abc_d-e_f_1 1'})
    records = {record.video: record for record in read('faceforensics_pp', splits, tmp_path / 'ff').records}
    assert len(records) == 6 and records['071'].identity == records['054'].identity == 'abc_d-e_f_1'
    assert [record.split for record in read('faceforensics_pp', conversion, tmp_path / 'ff').records] == [None] * 2
    write(splits / 'val.json', [['071', '003']])
    with pytest.raises(UserError, match=r'val.json and train.json of .* both hold the video 071'):
        read('faceforensics_pp', splits, tmp_path / 'ff')
    (videos / 'c40' / 'videos').mkdir(parents=True)
    write(splits / 'val.json', [['000', '003']])
    with pytest.raises(UserError, match='holds the compressions c23, c40; pass one of them'):
        read('faceforensics_pp', splits, tmp_path / 'ff')


@pytest.mark.parametrize('dataset', ['taichi_hd', 'vox', 'celebv_hq', 'celebv_text', 'faceforensics_pp', 'talkvid'])
def test_other_files_are_refused_by_one_sentence(tmp_path, dataset):
    with pytest.raises(UserError, match='needs --metadata'):
        read(dataset, None)
    for name, content in (('empty', b''), ('binary', bytes(range(256))), ('list.json', b'[]'), ('map.json', b'{}'),
                          ('open.json', b'{"clips": {'), ('nan.json', b'{"clips": {"a": NaN}}'),
                          ('number.json', b'3'), ('deep.json', b'[' * 10**5), ('head.csv', HEAD.encode()),
                          ('other.csv', b'a,b\n1,2\n')):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UserError) as error:
            read(dataset, path)
        assert '\n' not in str(error.value) and name in str(error.value)
