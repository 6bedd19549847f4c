from leokit.video import Skipped


def test_a_skipped_video_is_named_once():
    assert str(Skipped('a.mp4', 'too short')) == 'a.mp4: too short'
    assert str(Skipped('a.mp4', 'the video a.mp4 is empty')) == 'the video a.mp4 is empty'
