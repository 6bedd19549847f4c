"""Sets of small videos on disk."""

import numpy as np
import pytest
import support.tiny_extractors  # noqa: F401  (registers them)

from leokit.evaluation import Protocol

SIDE = 24


def moving_video(seed, frames=20, height=SIDE, width=SIDE):
    """A smooth moving texture, different for each seed: uint8 (T, H, W, 3)."""
    random = np.random.RandomState(seed)
    texture = np.kron(random.randint(0, 256, (20, 20, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    steps = np.cumsum(random.randint(-1, 2, (frames, 2)), axis=0) + 20
    return np.stack([texture[y:y + height, x:x + width] for y, x in np.clip(steps, 0, 40)])


def write_mp4(path, frames, fps=25):
    """Write frames as H.264."""
    import av
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=fps)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = 'yuv420p'
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame))))
        container.mux(stream.encode())


def write_set(folder, seeds, frames=20):
    """A folder of arrays, one video per file."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        np.save(folder / f'{seed:03d}.npy', moving_video(seed, frames))
    return folder


@pytest.fixture
def protocol():
    """Eight clips of six frames at 16 pixels."""
    return Protocol.from_dict(dict(
        name='tiny', clips=dict(length=6), frames=dict(resolution=16),
        sampling=dict(num_clips=8, real='random', fake='first')))


@pytest.fixture
def video_sets(tmp_path):
    """Folders of twelve real and ten generated videos."""
    return write_set(tmp_path / 'real', range(12)), write_set(tmp_path / 'fake', range(100, 110))


@pytest.fixture
def make():
    """The helpers above, for tests (test modules cannot import a conftest)."""
    class Make:
        video, mp4, folder = staticmethod(moving_video), staticmethod(write_mp4), staticmethod(write_set)
    return Make
