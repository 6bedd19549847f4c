import threading

import numpy as np
import pytest

from leokit.evaluation import scan_videos
from leokit.evaluation.clip_loader import FRAMES_PER_BATCH, ClipLoader, batch_indices
from leokit.evaluation.clip_sampling import Clip


def test_batches_are_the_same_for_any_number_of_processes():
    whole = [batch.tolist() for batch in batch_indices(50, 16)]
    assert [index for batch in whole for index in batch] == list(range(50))
    assert len(whole[0]) == FRAMES_PER_BATCH // 16
    shares = [batch_indices(50, 16, rank, 3) for rank in range(3)]
    assert sorted([batch.tolist() for share in shares for batch in share]) == whole
    assert [len(batch) for batch in batch_indices(3, 10_000)] == [1, 1, 1]


@pytest.mark.parametrize('workers', [1, 3])
def test_clips_come_in_order_with_the_right_frames(tmp_path, make, protocol, workers):
    videos = scan_videos(make.folder(tmp_path / 'set', range(5)), protocol)
    clips = [Clip(video, start) for video in range(5) for start in (0, 3, 7)]
    loader = ClipLoader(videos, clips, protocol=protocol, batches=[np.arange(i, i + 2) for i in range(0, 14, 2)],
                        workers=workers)
    seen = []
    for batch in loader:
        for index, frames in zip(batch.indices, batch.clips):
            seen.append(int(index))
            clip = clips[index]
            assert np.array_equal(frames, make.video(clip.video)[clip.start:clip.start + 6])
        assert not batch.failures
    assert seen == list(range(14))


def test_a_clip_that_cannot_be_decoded_is_named_and_the_others_are_decoded(tmp_path, make, protocol):
    videos = scan_videos(make.folder(tmp_path / 'set', range(3)), protocol)
    (tmp_path / 'set' / '001.npy').write_bytes(b'damaged since')
    loader = ClipLoader(videos, [Clip(video, 0) for video in range(3)], protocol=protocol, batches=[np.arange(3)])
    batch, = loader
    assert batch.indices.tolist() == [0, 2] and list(batch.failures) == [1]
    assert 'not a readable array' in batch.failures[1]


def test_leaving_early_stops_the_threads(tmp_path, make, protocol):
    before = threading.active_count()
    videos = scan_videos(make.folder(tmp_path / 'set', range(3)), protocol)
    loader = ClipLoader(videos, [Clip(0, start) for start in range(12)], protocol=protocol,
                        batches=[np.asarray([index]) for index in range(12)])
    batches = iter(loader)
    next(batches)
    assert threading.active_count() > before
    batches.close()
    assert threading.active_count() == before


def test_no_workers_are_refused(tmp_path, make, protocol):
    with pytest.raises(ValueError, match='workers must be at least 1'):
        ClipLoader(None, [], protocol=protocol, batches=[], workers=0)
