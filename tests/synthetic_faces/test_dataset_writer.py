import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from leokit.synthetic_faces import (SyntheticFacesPlan, load_truth, render_faces, write_synthetic_faces,
                                    write_synthetic_truth)
from leokit.utils import UserError
from leokit.utils.locks import FileLock

PLAN = SyntheticFacesPlan(num_identities=4, clips_per_identity=2, num_frames=14, size=48)
REPOSITORY = Path(__file__).resolve().parents[2]


def decode(path):
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)])


def contents(folder):
    files = [path for path in sorted(folder.rglob('*')) if path.is_file()]
    # shapes of videos: x264 may encode the same frames to different bytes
    return {path.relative_to(folder).as_posix(): decode(path).shape if path.suffix == '.mp4' else path.read_bytes()
            for path in files}


@pytest.fixture(scope='module')
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp('faces')
    write_synthetic_faces(folder, PLAN, workers=0, show_progress=False)
    return folder


def test_videos_hold_the_rendered_frames(dataset):
    truth = load_truth(dataset)
    rows = json.loads((dataset / 'manifest.json').read_text())
    assert [row['name'] for row in rows] == truth.names and len(rows) == 8
    for row in rows[::3]:
        at = truth.index(row['name'])
        decoded = decode(dataset / row['file'])
        assert decoded.shape == (14, 48, 48, 3) and row['frames'] == 14 and row['size'] == [48, 48]
        appearance, motion = torch.from_numpy(truth.appearance[at:at + 1]), torch.from_numpy(truth.motion[at])
        rendered = render_faces(appearance, motion, size=48)
        error = (decoded.astype(float) - rendered.permute(0, 2, 3, 1).numpy()) ** 2
        assert 10 * np.log10(255 ** 2 / error.mean()) > 45  # the only loss is the rounding of the color conversion


def test_the_manifest_splits_by_identity(dataset):
    rows = json.loads((dataset / 'manifest.json').read_text())
    splits = {}
    for row in rows:
        splits.setdefault(row['identity'], set()).add(row['split'])
    assert all(len(names) == 1 for names in splits.values())
    assert {name for names in splits.values() for name in names} == {'train', 'val', 'test'}


def test_two_processes_write_the_same_data_set(dataset, tmp_path):
    plan = SyntheticFacesPlan(**{**PLAN.__dict__, 'num_identities': 5, 'num_frames': 6})  # more than one task
    write_synthetic_faces(tmp_path / 'a', plan, workers=0, show_progress=False)
    write_synthetic_faces(tmp_path / 'b', plan, workers=2, show_progress=False)
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')
    for path in (tmp_path / 'a').rglob('*.mp4'):
        other = tmp_path / 'b' / path.relative_to(tmp_path / 'a')
        assert np.abs(decode(path).astype(float) - decode(other)).mean() < 1


def test_only_missing_clips_are_written_again(dataset, tmp_path):
    before = contents(dataset)
    kept, lost = dataset / 'videos/id000000_00.mp4', dataset / 'videos/id000001_01.mp4'
    stamp = kept.stat().st_mtime_ns
    lost.unlink()
    (dataset / 'manifest.json').unlink()
    (dataset / 'videos/id000001_01.part.mp4').write_bytes(b'half')
    write_synthetic_faces(dataset, PLAN, workers=0, show_progress=False)
    assert contents(dataset) == before
    assert kept.stat().st_mtime_ns == stamp


def test_truth_without_videos_is_that_of_the_dataset(dataset, tmp_path):
    path = write_synthetic_truth(tmp_path / 'a', PLAN)
    assert path == tmp_path / 'a/truth.npz' and not any((tmp_path / 'a/videos').iterdir())
    assert not (tmp_path / 'a/manifest.json').exists()
    for alone, rendered in zip(load_truth(tmp_path / 'a'), load_truth(dataset)):
        assert np.array_equal(alone, rendered)
    with pytest.raises(UserError, match='seed=0, not 1'):
        write_synthetic_faces(tmp_path / 'a', SyntheticFacesPlan(**{**PLAN.__dict__, 'seed': 1}), workers=0)
    write_synthetic_faces(tmp_path / 'a', PLAN, workers=0, show_progress=False)
    assert contents(tmp_path / 'a') == contents(dataset)


def test_a_killed_run_is_resumed(tmp_path):
    """After a SIGKILL, the same settings complete the dataset."""
    command = [sys.executable, '-m', 'leokit', 'synthetic-faces', '--out', str(tmp_path / 'a'), '--num-identities', '8',
               '--clips-per-identity', '2', '--num-frames', '60', '--size', '32', '--workers', '0']
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.time() + 60
    while len(list((tmp_path / 'a').glob('videos/*[0-9].mp4'))) < 2 and time.time() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = len(list((tmp_path / 'a').glob('videos/*[0-9].mp4')))
    assert 2 <= done < 16 and not (tmp_path / 'a/manifest.json').exists()
    plan = SyntheticFacesPlan(num_identities=8, clips_per_identity=2, num_frames=60, size=32)
    write_synthetic_faces(tmp_path / 'a', plan, workers=0, show_progress=False)
    assert len(list((tmp_path / 'a/videos').iterdir())) == 16
    assert all(decode(path).shape[0] == 60 for path in sorted((tmp_path / 'a/videos').iterdir())[done - 2:done + 2])


def test_other_settings_and_foreign_folders_are_refused(dataset, tmp_path):
    with pytest.raises(UserError, match='seed=0, not 1'):
        write_synthetic_faces(dataset, SyntheticFacesPlan(**{**PLAN.__dict__, 'seed': 1}), workers=0)
    (tmp_path / 'videos').mkdir()
    (tmp_path / 'videos' / 'mine.mp4').write_bytes(b'x')
    with pytest.raises(UserError, match='other files'):
        write_synthetic_faces(tmp_path, PLAN, workers=0)
    assert (tmp_path / 'videos' / 'mine.mp4').read_bytes() == b'x'


def test_two_writers_do_not_share_a_folder(tmp_path):
    (tmp_path / 'a').mkdir()
    lock = FileLock(tmp_path / 'a' / '.synthetic_faces.lock')
    assert lock.acquire()
    with pytest.raises(UserError, match='another process'):
        write_synthetic_faces(tmp_path / 'a', PLAN, workers=0)
    lock.release()


def test_an_unknown_device_leaves_no_folder(tmp_path):
    with pytest.raises(UserError, match="the device 'gpu0' is unknown"):
        write_synthetic_faces(tmp_path / 'faces', PLAN, device='gpu0')
    assert not list(tmp_path.iterdir())


@pytest.mark.gpu
@pytest.mark.parametrize('style', ['drawn', 'textured'])
def test_a_gpu_renders_the_frames_of_the_cpu(style, tmp_path):
    plan = SyntheticFacesPlan(num_identities=6, clips_per_identity=2, num_frames=70, size=64, style=style)
    write_synthetic_faces(tmp_path / 'cpu', plan, show_progress=False)
    write_synthetic_faces(tmp_path / 'cuda', plan, device='cuda', show_progress=False)
    assert contents(tmp_path / 'cpu') == contents(tmp_path / 'cuda')  # the same files, manifest and truth
    for path in sorted((tmp_path / 'cpu/videos').iterdir()):
        difference = np.abs(decode(path).astype(int) - decode(tmp_path / 'cuda/videos' / path.name))
        # sines and roots are rounded differently; a pixel at an edge can change, an image not
        assert (difference > 2).mean() < 1e-3 and difference.mean() < 0.05
