"""No test identity is in any training: all stages, on a dataset without splits, with videos that cannot be read."""

import hashlib
import json
from pathlib import Path

import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors

from leokit.engine import LeoRunner, ResumableTrainLoop
from leokit.inference import ensure_codes
from leokit.synthetic_faces import SyntheticFacesPlan, write_synthetic_faces
from leokit.utils import UserError, load_checkpoint, load_config

ROOT = Path(__file__).resolve().parents[2]
SIZE, FRAMES = 32, 18
COUNTS = dict(train=5, val=2, test=3)
TINY = {
    'size': SIZE, 'motion_dim': 4, 'num_workers': 0, 'max_iters': 3, 'work_dir': None, 'perceptual_ramp': 1,
    'appearance_dim': 16, 'max_channels': 8, 'batch_size': 2, 'warmup': 1, 'num_frames': 16, 'sequences_per_batch': 4,
    'codes_per_batch': 8, 'test_batch_size': 2, 'val_clips': 2, 'perceptual_backbone.type': 'TinyImageFeatures',
    'model.sampler.num_inference_steps': 2}
BACKBONES = dict(
    UNet1D=dict(channels=[16, 16], num_blocks=1, attention_levels=[], embedding_dim=16, head_dim=8),
    UNet2D=dict(channels=[8, 16], num_blocks=1, attention_levels=[], embedding_dim=16, head_dim=8),
    MLPDenoiser=dict(dim=16, depth=1, embedding_dim=16))


def split_by_hand(identity):
    """The fraction that the first 64 bits of the SHA-256 of ``0/name`` stand for, in 0.9, 0.05 and 0.05."""
    position = int(hashlib.sha256(f'0/{identity}'.encode()).hexdigest()[:16], 16) / 16**16
    return 'train' if position < 0.9 else 'val' if position < 0.95 else 'test'


@pytest.fixture(scope='module')
def identities():
    """Names by split, as many as ``COUNTS`` says."""
    found = {split: [] for split in COUNTS}
    for number in range(1000):
        split = split_by_hand(f'person{number}')
        if len(found[split]) < COUNTS[split]:
            found[split].append(f'person{number}')
    return found


@pytest.fixture(scope='module')
def folder(identities, tmp_path_factory):
    """Two videos of each identity. One of a test, a validation and a training identity each cannot be read."""
    folder = tmp_path_factory.mktemp('leaks') / 'faces'
    names = [name for part in identities.values() for name in part]
    plan = SyntheticFacesPlan(num_identities=len(names), clips_per_identity=2, num_frames=FRAMES, size=SIZE)
    write_synthetic_faces(folder, plan, workers=0, show_progress=False)
    rows = [dict(file=clip.file, name=clip.name, identity=names[clip.identity_number]) for clip in plan.clips()]
    for part in identities.values():
        broken = next(row for row in rows if row['identity'] == part[0])
        content = (folder / broken['file']).read_bytes()
        (folder / broken['file']).write_bytes(content[:len(content) // 3])
    (folder / 'manifest.json').write_text(json.dumps(rows))
    return folder


def train(name, work_dir, data_root, monkeypatch, **more):
    """Train a shipped config, made small; the identities of all samples of the training and of the validation."""
    config = load_config(f'configs/{name}.py')
    options = {key: value for key, value in TINY.items() if key.split('.')[0] in config and value is not None}
    if 'sampler' not in config.model:
        options.pop('model.sampler.num_inference_steps', None)
    backbone = config.model.get('backbone', {}).get('type')
    options |= {f'model.backbone.{key}': value for key, value in BACKBONES.get(backbone, {}).items()}
    config = load_config(f'configs/{name}.py', {**options, 'data_root': str(data_root), **more})
    config.work_dir, config.log_level = str(work_dir), 'WARNING'
    seen, run_iter = set(), ResumableTrainLoop.run_iter

    def record(loop, batch):
        seen.update(batch['data_samples']['name'])
        run_iter(loop, batch)

    monkeypatch.setattr(ResumableTrainLoop, 'run_iter', record)
    runner = LeoRunner.from_cfg(config)
    ensure_codes(runner.cfg)
    runner.train()
    monkeypatch.undo()
    labels = {row['name']: row['identity'] for row in json.loads((Path(data_root) / 'manifest.json').read_text())}
    dataset = {video.name for video in runner.train_dataloader.dataset.videos}
    validated = {video.name for video in runner.val_dataloader.dataset.videos} if runner.val_loop else set()
    assert seen <= dataset
    return {labels[each] for each in dataset}, {labels[each] for each in validated}


STAGE_2 = ('leo/lmdm_celebv', 'leo/lmdm_synthetic', 'leo/start_code_synthetic', 'leo/start_frame_synthetic')


@pytest.fixture(scope='module')
def animator(folder, identities, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('animator')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        trained, validated = train('lia/lia_synthetic_64', work_dir, folder, patch)
    assert trained == set(identities['train']) and validated == set(identities['val'])
    return {'animator.config': str(work_dir / 'lia_synthetic_64.py'), 'animator.checkpoint': str(work_dir)}


@pytest.mark.parametrize('name', STAGE_2)
def test_every_stage_trains_on_the_same_identities(name, folder, identities, animator, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    more = {'val_cfg': None} if name == 'leo/lmdm_celebv' else {}
    trained, validated = train(name, tmp_path, folder, monkeypatch, **animator, **more)
    assert trained == set(identities['train'])
    assert validated <= set(identities['val'])
    record = load_checkpoint(tmp_path / 'iter_3.pth')['meta']['data']
    assert {split: record[split]['identities'] for split in ('train', 'test')} == {
        split: sorted(identities[split]) for split in ('train', 'test')}


def test_an_edited_manifest_reaches_stage_2(folder, identities, animator, tmp_path, monkeypatch):
    """An identity that becomes a test identity after stage 1 was trained on it: refused, and not trained on."""
    monkeypatch.chdir(ROOT)
    moved = identities['train'][1]
    rows = json.loads((folder / 'manifest.json').read_text())
    edited = [dict(row, split='test' if row['identity'] == moved else split_by_hand(row['identity'])) for row in rows]
    (folder / 'manifest.json').write_text(json.dumps(edited))
    try:
        with pytest.raises(UserError, match=f'was trained on 1 identities .{moved}. that this config tests on'):
            train('leo/start_code_synthetic', tmp_path / 'refused', folder, monkeypatch, **animator)
        trained, _ = train('leo/start_code_synthetic', tmp_path / 'run', folder, monkeypatch, **animator,
                           check_identities=False)
        assert trained == set(identities['train']) - {moved}
    finally:
        (folder / 'manifest.json').write_text(json.dumps(rows))
