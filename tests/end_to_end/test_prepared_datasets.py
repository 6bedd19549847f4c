"""From a dataset's metadata to scores: prepare, both stages and the test by the configs named after the dataset.

Nothing but paths and sizes of networks is given: the prepared folder has the splits, lengths and shape that they need.
"""

import csv
import hashlib
import json
import re

import numpy as np
import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
from support.calling import call_command
from support.dataset_fixtures import write_frames

from leokit.face_detectors import Face, FaceDetector
from leokit.utils import load_config
from leokit.video import VideoIndex, VideoFilter

pytestmark = pytest.mark.slow
WIDTH, HEIGHT, FRAMES = 320, 240, 70
SPLITS = ('train', 'train', 'val', 'test', 'test')
SMALL = {
    'size': 32, 'num_workers': 0, 'max_iters': 2, 'appearance_dim': 24, 'max_channels': 8, 'batch_size': 2,
    'sequences_per_batch': 2, 'test_batch_size': 2, 'val_clips': 1, 'perceptual_backbone.type': 'TinyImageFeatures',
    'model.sampler.num_inference_steps': 2, 'model.backbone.channels': '[16,16]', 'model.backbone.num_blocks': 1,
    'model.backbone.attention_levels': '[]', 'model.backbone.embedding_dim': 16, 'model.backbone.head_dim': 8,
    'video_extractor.type': 'TinyVideoFeatures', 'content_extractor.type': 'TinyImageFeatures'}


def names_by_split(fractions):
    """An 11-character name for each of ``SPLITS``: the fraction that the hash of ``0/name`` stands for decides."""
    found = []
    for wanted in SPLITS:
        for number in range(100_000):
            name = f'-_{number:_>9}'
            place = int(hashlib.sha256(f'0/{name}'.encode()).hexdigest()[:16], 16) / 16**16
            split = 'train' if place < fractions[0] else 'val' if place < fractions[0] + fractions[1] else 'test'
            if split == wanted and name not in found:
                found.append(name)
                break
    return found


def write_video(path, seed):
    """A bright square that moves over a smooth background."""
    rng = np.random.default_rng(seed)
    background = rng.integers(60, 140, 3) + np.linspace(0, 60, WIDTH)[None, :, None] + np.zeros((HEIGHT, WIDTH, 3))
    frames = np.tile(background.astype(np.uint8), (FRAMES, 1, 1, 1))
    for number, frame in enumerate(frames):
        left = 100 + number // 2
        frame[90:140, left:left + 50] = (230, 180, 150)
    return write_frames(path, list(frames), 25, crf=20)


class FindMiddle(FaceDetector):
    """A detector that finds one face in the middle."""

    def detect(self, frame, *, thorough=False):
        return [Face(np.array((100., 60., 220., 180.)), 1.0)]


def table(raw, names, persons):
    splits = ['train', 'train', 'train', 'test', 'test']  # no published validation split
    with (raw / 'metadata.csv').open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(('video_id', 'start', 'end', 'bbox', 'fps', 'width', 'height', 'partition', 'person_id'))
        for name, split in zip(names, splits):
            writer.writerow((f'vid{names.index(name):_>8}' if persons else name, 0, 68, '60-20-260-220', 25, WIDTH,
                             HEIGHT, split, name if persons else ''))
    return [f'vid{number:_>8}' for number in range(5)] if persons else names


def make(dataset, raw):
    """Metadata and videos of a dataset; the arguments of the command."""
    raw.mkdir()
    given = names_by_split((.9, .05, .05))
    inner = [*names_by_split((.9 / .95, .05 / .95, 0))[:3], 'test_person', 'tests_other']
    videos, metadata = given, raw / 'metadata.json'
    if dataset in ('taichi_hd', 'vox'):
        videos, metadata = table(raw, inner, persons=dataset == 'vox'), raw / 'metadata.csv'
    elif dataset.startswith('celebv'):
        box = dict(top=.1, bottom=.9, left=.2, right=.8) if dataset == 'celebv_hq' else dict(
            top=20, bottom=220, left=60, right=260)
        metadata.write_text(json.dumps(dict(clips={
            f'{name}_0': dict(ytb_id=name, duration=dict(start_sec=0.0, end_sec=2.8), bbox=box) for name in given})))
    elif dataset == 'talkvid':
        metadata.write_text(json.dumps([
            {'id': f'{name}-scene1', 'start-time': 0.0, 'end-time': 2.8,
             'info': {'Person ID': name, 'Video Link': f'https://www.youtube.com/watch?v={name}'}} for name in given]))
    elif dataset == 'faceforensics':
        for number, split in enumerate(SPLITS):
            write_video(raw / split / 'original' / f'target{number}____0_source______1.avi', number)
            mask = np.full((FRAMES, HEIGHT, WIDTH, 3), 255, np.uint8)
            mask[:, 40:200, 80:240] = 60
            write_frames(raw / split / 'mask' / f'target{number}____0_source______1.avi', list(mask))
        return ['--videos', raw]
    elif dataset == 'faceforensics_pp':
        videos, metadata = ['000', '001', '002', '003', '004'], raw / 'splits'
        metadata.mkdir()
        for split, pair in dict(train=['000', '001'], val=['002'], test=['003', '004']).items():
            (metadata / f'{split}.json').write_text(json.dumps([pair]))
    for number, name in enumerate(videos):
        write_video(raw / 'videos' / f'{name}.mp4', number)
    return ['--metadata', metadata, '--videos', raw / 'videos']


def run(command, *arguments):
    status, said = call_command(command, *arguments)
    assert status == 0, said
    return said


def small(config, **paths):
    keys = load_config(config)
    kinds = {key: value for key, value in SMALL.items() if key.split('.')[0] in keys}
    if 'backbone' not in keys.model:
        kinds = {key: value for key, value in kinds.items() if not key.startswith('model.')}
    return ['--cfg-options', *(f'{key}={value}' for key, value in (kinds | paths).items())]


@pytest.mark.parametrize('dataset, folder, animator, diffusion', [
    ('taichi_hd', 'taichi', 'lia_taichi_128', 'lmdm_taichi'),
    ('celebv_hq', 'celebv', 'lia_celebv_256', 'lmdm_celebv'),
    ('celebv_text', 'celebv', 'lia_celebv_256', 'lmdm_celebv'),
    ('faceforensics', 'faceforensics', 'lia_faceforensics_256', 'lmdm_faceforensics'),
    ('faceforensics_pp', 'faceforensics', 'lia_faceforensics_256', 'lmdm_faceforensics'),
    ('talkvid', 'celebv', 'lia_celebv_256', 'lmdm_celebv'),
    ('vox', 'vox', 'lia_vox_256', 'lmdm_vox')])
def test_the_configs_of_a_dataset_fit_what_its_command_writes(dataset, folder, animator, diffusion, tmp_path,
                                                              monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setattr('leokit.preparation.clip_crop.build_face_detector', lambda *args, **options: FindMiddle())
    said = run('prepare', dataset, *make(dataset, tmp_path / 'raw'), '--out', f'data/{folder}', '--workers', 1)
    assert '5 clips, 5 of them new' in said, said
    for split in ('train', 'val', 'test'):  # the filters of the configs
        index = VideoIndex(tmp_path / 'data' / folder, VideoFilter(split=split, min_frames=64))
        assert len(index) == SPLITS.count(split)
    run('train', animator, *small(animator))
    assert (tmp_path / 'work_dirs' / animator / 'iter_2.pth').is_file()
    # the animator was made smaller than its config
    paths = {'animator.config': tmp_path / 'work_dirs' / animator / f'{animator}.py'}
    run('train', diffusion, *small(diffusion, **paths))
    assert (tmp_path / 'work_dirs' / diffusion / 'iter_2.pth').is_file()
    said = run('test', diffusion, f'work_dirs/{diffusion}', *small(diffusion, **paths))
    scores = dict(re.findall(r'video/(\S+): (\S+)', said))
    assert float(scores['fvd-tiny_video@16x1']) > 0 and scores['clips-tiny_video@16x1'] == '2', said[-1000:]
