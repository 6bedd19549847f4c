import pytest

from leokit.utils import UserError
from leokit.video import Skipped, VideoFilter


@pytest.mark.parametrize('frames', [1, 2, 7, 10, 99, 160])
@pytest.mark.parametrize('cut', [0.1, 0.5, 0.8])
def test_segments_that_touch_share_no_frame(frames, cut):
    first = VideoFilter(segment=(0, cut)).bounds(frames)
    second = VideoFilter(segment=(cut, 1)).bounds(frames)
    assert first[0] == 0 and first[1] == second[0] and second[1] == frames


def test_from_config():
    wanted = VideoFilter.from_config(dict(split='train', segment=[0, 0.8], min_frames=5), min_frames=3)
    assert wanted.split == 'train' and wanted.min_frames == 5
    assert VideoFilter.from_config(dict(min_frames=2), min_frames=9).min_frames == 9
    assert VideoFilter.from_config(None) == VideoFilter()


@pytest.mark.parametrize('config, message', [
    (dict(splits='train'), 'splits'), (dict(segment=(0.5, 0.5)), 'segment'), (dict(segment=(0, 2)), 'segment'),
    (dict(identities='anna'), 'lists')])
def test_wrong_configs(config, message):
    with pytest.raises(UserError, match=message):
        VideoFilter.from_config(config)


def test_a_skipped_video_is_named_once():
    assert str(Skipped('a.mp4', 'too short')) == 'a.mp4: too short'
    assert str(Skipped('a.mp4', 'the video a.mp4 is empty')) == 'the video a.mp4 is empty'
