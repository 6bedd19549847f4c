"""``--crop person``: pixels tell where the crop was, and a made detector where the person is."""

import csv
import json

import numpy as np
import pytest
from support.calling import call_command, run_command
from support.dataset_fixtures import (
    BLUE_START, BLUE_STEP, RED_IN_BLUE, crop_of, place_frames, read_frames, write_frames)

from leokit.person_detectors import Person, PersonDetector
from leokit.registry import PERSON_DETECTORS
from leokit.utils import UserError
from leokit.video import read_manifest

SIZE = (320, 120)  # of the videos
PERSON = (24, 60)  # width and height


def center_x(number):
    return 60 + 2.5 * number


@PERSON_DETECTORS.register_module()
class MadePersonDetector(PersonDetector):
    """Finds one person: in videos whose green is intact, walking; in darkened ones nobody."""

    def detect(self, frame):
        if frame[..., 1].max() < 200:
            return []
        pixels = frame.astype(float)
        number = ((pixels[..., 2] - RED_IN_BLUE * pixels[..., 0]).mean() - BLUE_START) / BLUE_STEP
        x, (width, height) = center_x(round(number)), PERSON
        return [Person(np.array((x - width / 2, 60 - height / 2, x + width / 2, 60 + height / 2)), 1.0)]


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos of people')
    write_frames(folder / 'walks______.mp4', place_frames(75, *SIZE))
    half_green = np.array((1, 2, 1), np.uint8)
    write_frames(folder / 'nobody_____.mp4', [frame // half_green for frame in place_frames(75, *SIZE)])
    return folder


def check_walk(path, first, count, side):
    frames, _ = read_frames(path)
    assert len(frames) == count
    for number in (0, count // 3, count - 1):
        left, top, right, bottom = crop_of(frames[number:number + 1], *SIZE)
        x = min(max(center_x(first + number), side / 2), SIZE[0] - side / 2)
        assert (left, right) == pytest.approx((x - side / 2, x + side / 2), abs=1.5)
        assert (top, bottom) == pytest.approx((60 - side / 2, 60 + side / 2), abs=1.5)


def test_a_folder(videos, tmp_path, capsys):
    arguments = ('folder', '--videos', videos, '--out', tmp_path / 'out', '--size', 64, '--crf', 0,
                 '--crop', 'person', '--person-detector', 'MadePersonDetector', '--workers', 1)
    run_command('prepare', *arguments)
    output = capsys.readouterr().out
    assert '1 clips, 1 of them new; 1 videos skipped' in output
    assert 'nobody_____.mp4: no person in frames 0 to 74' in output
    check_walk(tmp_path / 'out' / 'walks______.mp4', 0, 75, 1.2 * PERSON[1])
    assert call_command('prepare', *arguments[:-4], 'hog', '--workers', 1)[0] == 2  # other settings


def test_a_dataset(videos, tmp_path):
    rows = [('walks______', 0, 70, '0-0-100-100', 25, *SIZE, 'train'), ('walks______', 5, 17, '0-0-100-100', 25, *SIZE,
            'train'), ('nobody_____', 0, 70, '0-0-100-100', 25, *SIZE, 'test')]
    with (tmp_path / 'taichi.csv').open('w', newline='') as file:
        csv.writer(file).writerows([('video_id', 'start', 'end', 'bbox', 'fps', 'width', 'height', 'partition'), *rows])
    run_command('prepare', 'taichi_hd', '--metadata', tmp_path / 'taichi.csv', '--videos', videos, '--out',
                tmp_path / 'out', '--size', 64, '--crf', 0, '--min-side', 16, '--min-frames', 8, '--workers', 1,
                '--checks', 'none', '--crop', 'person', '--person-detector', 'MadePersonDetector')
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['reasons'] == {'no person': 1}
    assert report['dropped'][0]['detail'] == 'found in 0 of 15 frames of 0 to 69'
    check_walk(tmp_path / 'out' / 'walks______#000000#000070.mp4', 0, 70, 72)
    # from frame 5 to 16 the person moves by 27.5 pixels and so rests: 51.5 wide, 60 tall, around x = 86.25
    frames, _ = read_frames(tmp_path / 'out' / 'walks______#000005#000017.mp4')
    assert crop_of(frames, *SIZE) == pytest.approx((50.25, 24, 122.25, 96), abs=1)
    walking, resting = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
    assert 'crop_path' not in resting and resting['crop'][2] - resting['crop'][0] == 72
    seconds, left, top, right, bottom = walking['crop_path'][-1]
    assert (seconds, left, right) == pytest.approx((69 / 25, center_x(69) - 36, center_x(69) + 36), abs=1)
    assert (top, bottom) == pytest.approx((24, 96), abs=0.5)
    assert walking['crop'] == pytest.approx([24, 24, 269, 96], abs=2)  # around all of it
    assert len(read_manifest(tmp_path / 'out' / 'manifest.json')) == 2


def test_the_detector_belongs_to_the_crop(videos, tmp_path):
    options = ('--videos', videos, '--out', tmp_path / 'out', '--size', 64)
    with pytest.raises(UserError, match="a person detector is used by the crop 'person' only, not by 'center'"):
        run_command('prepare', 'folder', *options, '--person-detector', 'hog')
    with pytest.raises(UserError, match="unknown person detector 'yolo'"):
        run_command('prepare', 'folder', *options, '--crop', 'person', '--person-detector', 'yolo')
    assert not (tmp_path / 'out').exists()
