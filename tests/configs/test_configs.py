"""Every config of the repository: it loads, its parts build, what it names exists, and it trains on a folder."""

import json
import os
import re
from pathlib import Path

import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
import torch
from mmengine.config import Config
from support.calling import call_tool

import leokit
from leokit.benchmark import Scenario
from leokit.data_tools.face_region_detection import write_synthetic_regions
from leokit.engine import LeoRunner
from leokit.engine.checkpoint_files import newest_checkpoint
from leokit.inference.loading import LEO_PARTS
from leokit.synthetic_faces import SyntheticFacesPlan, write_synthetic_faces
from leokit.utils import UserError, load_config
from leokit.utils.checkpoints import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / 'configs').rglob('*.py'))
# Studies name other configs, and leo_* name those of several models; the others train one.
OTHERS = [name for name in FILES if name.split('/')[1] in ('_base_', 'ablations') or Path(name).stem.startswith('leo_')]
MODELS = [name for name in FILES if name not in OTHERS]
PROMISED = [f'configs/lia/lia_{name}.py' for name in (
    'celebv_256', 'faceforensics_256', 'taichi_128', 'taichi_256', 'synthetic_64')]
PROMISED += [f'configs/leo/lmdm_{name}{ablation}.py' for name in (
    'celebv', 'faceforensics', 'taichi', 'synthetic') for ablation in ('', '_wo_lmc')]
PROMISED += [f'configs/leo/start_frame_{name}.py' for name in (
    'celebv', 'faceforensics', 'taichi', 'synthetic', 'sr_celebv', 'sr_faceforensics', 'sr_taichi')]
SIZE, MOTION_DIM, FRAMES = 32, 4, 20

# What makes any animator and any motion model small; keys that a config does not have are left out.
TINY = dict(
    size=SIZE, motion_dim=MOTION_DIM, appearance_dim=16, max_channels=8, batch_size=2, num_workers=0, max_iters=2,
    warmup=1, num_frames=16, sequences_per_batch=4, codes_per_batch=8, test_batch_size=2, val_clips=1, low_size=8)
TINY_BACKBONES = dict(
    UNet1D=dict(channels='[16,16]', num_blocks=1, attention_levels='[]', embedding_dim=16, head_dim=8),
    UNet2D=dict(channels='[8,16]', num_blocks=1, attention_levels='[]', embedding_dim=16, head_dim=8),
    MLPDenoiser=dict(dim=16, depth=1, embedding_dim=16))
# Trained by default: one of every kind; the others differ from these by sizes, data and extractors.
QUICK = ('lia_celebv_256', 'lia_few_faces_128', 'lia_synthetic_64', 'lmdm_synthetic', 'lmdm_taichi_wo_lmc',
         'lmdm_few_faces', 'start_code_synthetic', 'start_frame_synthetic', 'start_frame_sr_celebv')


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)  # configs name each other from there


def test_the_promised_configs_are_there():
    assert not set(PROMISED) - set(MODELS)


@pytest.mark.parametrize('name', FILES)
def test_it_begins_with_what_it_is_for(name):
    assert (ROOT / name).read_text().startswith('# ')


def test_what_trains_has_a_model():
    assert not [name for name in OTHERS if '/_base_/' not in name and 'model' in Config.fromfile(ROOT / name)]


@pytest.mark.parametrize('name', MODELS)
def test_it_builds(name, tmp_path):
    keys = Config.fromfile(name)
    options = {key: value for key, value in dict(appearance_dim=48, max_channels=8).items() if key in keys}
    if keys.get('perceptual_backbone', {}).get('type') == 'VGG19Features':  # its weights are a download
        options['perceptual_backbone.type'] = 'TinyImageFeatures'
    runner = LeoRunner.from_cfg(load_config(name, {'work_dir': str(tmp_path), **options}))
    assert sum(weight.numel() for weight in runner.model.parameters())


@pytest.mark.parametrize('name', [name for name in MODELS if '/leo/' in name])
def test_the_animator_that_it_names_fits(name):
    config = load_config(name)
    animator = load_config(config.animator.config)
    assert animator.model.type == 'Animator' and animator.motion_dim == config.motion_dim
    if config.model.type != 'StartFrameDiffusion':  # what it draws is brought to the animator's size
        assert config.get('size', animator.size) == animator.size
    assert Path(config.animator.checkpoint) == Path('work_dirs', Path(config.animator.config).stem)  # train.py's own
    assert config.codes_dir == f'{config.data_root}_codes' and config.data_root == animator.data_root


# ---- all models together -----------------------------------------------------
LEO_CONFIGS = [f'configs/leo/leo_{name}.py' for name in ('celebv', 'faceforensics', 'taichi', 'synthetic')]


@pytest.mark.parametrize('name', LEO_CONFIGS)
def test_the_models_that_it_names_fit(name):
    config = load_config(name)
    parts = {part: config[part] for part in LEO_PARTS if config[part]}
    assert {*LEO_PARTS} - {*parts} <= {'start_frame_sr'}
    models = {part: load_config(entry.config) for part, entry in parts.items()}
    for part, model in models.items():
        assert Path(parts[part].checkpoint) == Path('work_dirs', Path(parts[part].config).stem)  # train.py's own
        assert model.data_root == config.data_root and model.motion_dim == models['animator'].motion_dim
        assert part == 'animator' or model.animator == config.animator
    drawn = models.get('start_frame_sr', models['start_frame'])
    assert drawn.size >= models['animator'].size
    if 'start_frame_sr' in parts:
        assert models['start_frame_sr'].low_size == models['start_frame'].size
    scenarios = [Scenario.from_dict(key, values) for key, values in config.test_cfg.scenarios.items()]
    assert [scenario.first_frames for scenario in scenarios] == ['generated', 'real', 'generated']
    assert scenarios[2].num_frames >= 512


# ---- training on a folder of videos, given by one key ------------------------
@pytest.fixture(scope='module')
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp('faces')
    plan = SyntheticFacesPlan(num_identities=4, clips_per_identity=1, num_frames=FRAMES, size=SIZE,
                              train=0.5, val=0.25, test=0.25)
    write_synthetic_faces(folder / 'videos', plan, workers=0, show_progress=False)
    return folder / 'videos'


def each(folder):
    return [pytest.param(name, marks=() if Path(name).stem in QUICK else pytest.mark.slow)
            for name in MODELS if f'/{folder}/' in name]


def train(name, work_dir, data_root, *more, regions=None):
    keys = Config.fromfile(ROOT / name)
    options = [f'{key}={value}' for key, value in {**TINY, 'regions': regions}.items()
               if value is not None and key in keys]
    options += ['perceptual_backbone.type=TinyImageFeatures'] if 'perceptual_backbone' in keys else []
    backbone = TINY_BACKBONES.get(keys.model.get('backbone', {}).get('type'), {})
    options += [f'model.backbone.{key}={value}' for key, value in backbone.items()]
    options += ['model.sampler.num_inference_steps=2'] if 'sampler' in keys.model else []
    if keys.train_dataloader.dataset.type == 'TeacherPairDataset':  # drawn before the training
        options += ['train_dataloader.dataset.num_pairs=8', 'train_dataloader.dataset.sampler.num_inference_steps=2']
    status, said = call_tool('train', name, '--work-dir', work_dir, '--cfg-options', f'data_root={data_root}',
                             *options, *more)
    assert status == 0, said
    return load_checkpoint(work_dir / 'iter_2.pth'), said


def train_from_its_start(name, work_dir, data_root, *more, **options):
    """Train a config; before that, the one whose weights it starts from, and teaches if it is a distillation."""
    config = Config.fromfile(ROOT / name)
    if not config.load_from:
        return train(name, work_dir, data_root, *more, **options)
    before, start = work_dir / 'before', Path(config.load_from).name
    train_from_its_start(f'{Path(name).parent}/{start}.py', before, data_root, *more, **options)
    teacher = (f'teacher.config={before / start}.py', f'teacher.checkpoint={before}') if 'teacher' in config else ()
    return train(name, work_dir, data_root, f'load_from={before}', *teacher, *more, **options)


@pytest.fixture(scope='module')
def mixed_faces(faces):
    """A manifest of the faces in which one of two people to train on counts as synthetic."""
    videos = json.loads((faces / 'manifest.json').read_text())
    synthetic = next(video['identity'] for video in videos if video['split'] == 'train')
    for video in videos:
        video['category'] = 'synthetic' if video['identity'] == synthetic else 'real'
    (faces / 'mixed.json').write_text(json.dumps(videos))
    return faces / 'mixed.json'


@pytest.mark.parametrize('name', each('lia'))
def test_an_animator_trains(name, faces, mixed_faces, tmp_path):
    write_synthetic_regions(faces, tmp_path / 'regions.npz')
    data_root = mixed_faces if '_mixed' in name else faces
    checkpoint, _ = train_from_its_start(name, tmp_path, data_root, regions=tmp_path / 'regions.npz')
    assert checkpoint['meta']['conventions']['grid'] == Config.fromfile(ROOT / name).grid


@pytest.mark.parametrize('name', ['lia_synthetic_64', pytest.param('lia_few_faces_128', marks=pytest.mark.slow)])
def test_expressions_go_on_from_heads(name, faces, tmp_path):
    heads, _ = train(f'configs/lia/{name}.py', tmp_path / 'heads', faces)
    options = f'load_from={tmp_path / "heads"}', 'learning_rate=1e-9', 'perceptual_begin=0', 'perceptual_ramp=1'
    faces_too, _ = train(f'configs/lia/{name}_expressions.py', tmp_path / 'faces', faces, *options)
    key = 'flow_generator.levels.0.conv.conv.weight'
    assert (faces_too['state_dict'][key] - heads['state_dict'][key]).abs().max() < 1e-6
    new = {key for key in faces_too['state_dict'] if key not in heads['state_dict']}
    assert new and all('inpaint_rgb' in key for key in new)


def test_the_losses_on_mouth_and_eyes_go_on_from_heads(faces, tmp_path):
    heads, _ = train('configs/lia/lia_synthetic_64.py', tmp_path / 'heads', faces, 'grid=exact')
    write_synthetic_regions(faces, tmp_path / 'regions.npz')
    options = (f'load_from={tmp_path / "heads"}', f'regions={tmp_path / "regions.npz"}', 'learning_rate=1e-9',
               'perceptual_begin=0', 'perceptual_ramp=1', 'default_hooks.logger.interval=1', 'check_identities=False')
    both, said = train('configs/lia/lia_few_faces_128_regions.py', tmp_path / 'both', faces, *options)
    values = {name: [float(value) for value in re.findall(rf'{name}: ([\d.e-]+)', said)]
              for name in ('loss_regions', 'loss_face_crops')}
    assert min(values['loss_regions']) > 0 and max(values['loss_face_crops']) > 0
    new = {key for key in both['state_dict'] if key not in heads['state_dict']}
    assert new and all('inpaint_rgb' in key for key in new)


HEAD = 'losses.expression_code.head.weight'


def test_a_guided_training_resumes_exactly_and_the_second_phase_goes_on_with_its_head(faces, mixed_faces, tmp_path):
    regions = tmp_path / 'regions.npz'
    write_synthetic_regions(faces, regions)
    guided = 'configs/lia/lia_few_faces_128_mixed_guided.py', tmp_path / 'guided', mixed_faces
    whole, said = train(*guided, 'default_hooks.checkpoint.interval=1', 'default_hooks.logger.interval=1',
                        regions=regions)
    values = [float(value) for value in re.findall(r'loss_expression_code: ([\d.e-]+)', said)]
    assert len(values) == 2 and min(values) > 0
    first = load_checkpoint(tmp_path / 'guided' / 'iter_1.pth')
    assert not torch.equal(whole['state_dict'][HEAD], first['state_dict'][HEAD])
    assert HEAD not in whole['raw_state_dict']  # it is not averaged

    (tmp_path / 'guided' / 'iter_2.pth').unlink()
    resumed, _ = train(*guided, 'resume=auto', regions=regions)
    for key, value in whole['state_dict'].items():
        assert torch.equal(resumed['state_dict'][key], value), key

    options = f'load_from={tmp_path / "guided"}', 'learning_rate=1e-9', 'check_identities=False'
    second, _ = train('configs/lia/lia_few_faces_128_mixed_regions.py', tmp_path / 'second', mixed_faces, *options,
                      regions=regions)
    torch.testing.assert_close(second['state_dict'][HEAD], whole['state_dict'][HEAD], atol=1e-6, rtol=0)


@pytest.mark.parametrize('name', ['lia_synthetic_64', pytest.param('lia_few_faces_128', marks=pytest.mark.slow)])
def test_the_adversarial_phase_starts_from_the_expressions_phase(name, faces, tmp_path):
    start = 'load_from=None', 'perceptual_begin=0', 'perceptual_ramp=1'
    second, _ = train(f'configs/lia/{name}_expressions.py', tmp_path / 'second', faces, *start)
    options = (f'load_from={tmp_path / "second"}', 'learning_rate=1e-9', 'adversarial_begin=0', 'adversarial_ramp=1',
               'default_hooks.logger.interval=1')
    third, output = train(f'configs/lia/{name}_adversarial.py', tmp_path / 'third', faces, *options)
    assert 'loss_discriminator' in output and 'frames/sharpness' in output
    new = {key for key in third['state_dict'] if key not in second['state_dict']}
    assert new and all(key.startswith('discriminator.') for key in new)
    key = 'flow_generator.levels.0.conv.conv.weight'
    assert (third['state_dict'][key] - second['state_dict'][key]).abs().max() < 1e-6


@pytest.mark.slow
def test_a_discriminator_of_face_crops_joins_that_of_the_frame(faces, tmp_path):
    start = 'load_from=None', 'perceptual_begin=0', 'perceptual_ramp=1'
    second, _ = train('configs/lia/lia_few_faces_128_expressions.py', tmp_path / 'second', faces, *start)
    write_synthetic_regions(faces, tmp_path / 'regions.npz')
    options = (f'load_from={tmp_path / "second"}', f'regions={tmp_path / "regions.npz"}', 'adversarial_begin=0',
               'adversarial_ramp=1', 'default_hooks.logger.interval=1', 'check_identities=False')
    third, output = train('configs/lia/lia_few_faces_128_adversarial_crops.py', tmp_path / 'third', faces, *options)
    assert {'loss_adversarial', 'loss_adversarial_crops', 'loss_discriminator', 'loss_discriminator_crops', 'loss_r1',
            'loss_r1_crops'} <= set(re.findall(r'loss_\w+', output))
    new = {key.split('.')[0] for key in third['state_dict'] if key not in second['state_dict']}
    assert new == {'discriminator', 'crop_discriminator'}
    assert leokit.load(tmp_path / 'third', device='cpu').crop_discriminator is None


@pytest.mark.slow
def test_the_third_phase_on_real_faces_and_drawn_ones_starts_from_the_second(mixed_faces, faces, tmp_path):
    write_synthetic_regions(faces, tmp_path / 'regions.npz')
    start = 'load_from=None', 'perceptual_begin=0', 'perceptual_ramp=1', 'check_identities=False'
    second, _ = train('configs/lia/lia_few_faces_128_mixed_regions.py', tmp_path / 'second', mixed_faces, *start,
                      regions=tmp_path / 'regions.npz')
    options = (f'load_from={tmp_path / "second"}', 'adversarial_begin=0', 'adversarial_ramp=1', 'learning_rate=1e-9',
               'default_hooks.logger.interval=1', 'check_identities=False')
    third, output = train('configs/lia/lia_few_faces_128_mixed_crops.py', tmp_path / 'third', mixed_faces, *options,
                          regions=tmp_path / 'regions.npz')
    losses = set(re.findall(r'loss_\w+', output))
    assert {'loss_adversarial', 'loss_adversarial_crops', 'loss_discriminator', 'loss_discriminator_crops', 'loss_r1',
            'loss_r1_crops', 'loss_perceptual', 'loss_face_crops', 'loss_expression_code'} <= losses
    new = {key.split('.')[0] for key in third['state_dict'] if key not in second['state_dict']}
    assert new == {'discriminator', 'crop_discriminator'}
    torch.testing.assert_close(third['state_dict'][HEAD], second['state_dict'][HEAD], atol=1e-6, rtol=0)


@pytest.fixture(scope='module')
def animator(faces, tmp_path_factory):
    """Keys that name an animator trained here."""
    work_dir = tmp_path_factory.mktemp('animator')
    before = os.getcwd()
    os.chdir(ROOT)
    try:
        train('configs/lia/lia_synthetic_64.py', work_dir, faces)
    finally:
        os.chdir(before)
    return f'animator.config={work_dir / "lia_synthetic_64.py"}', f'animator.checkpoint={work_dir}'


NO_VIDEO = ('val_cfg=None', 'val_dataloader=None', 'val_evaluator=None')


@pytest.mark.parametrize('name', each('leo'))
def test_a_motion_model_trains(name, faces, animator, tmp_path):
    more = NO_VIDEO if 'lmdm' in name and name != 'configs/leo/lmdm_synthetic.py' else ()
    if 'few_' in name:  # holds out other people than the animator of this test, or parts of videos
        more = (*more, 'check_identities=False')
    checkpoint, _ = train_from_its_start(name, tmp_path, faces, *animator, *more)
    assert checkpoint['state_dict']['std'].isfinite().all() and checkpoint['state_dict']['animator_hash'].any()


def test_codes_are_made_when_they_are_needed(animator, tmp_path):
    """On a folder of its own: the codes lie beside it, and the second training takes them."""
    plan = SyntheticFacesPlan(num_identities=3, clips_per_identity=1, num_frames=16, size=SIZE)
    write_synthetic_faces(tmp_path / 'videos', plan, workers=0, show_progress=False)
    name = 'configs/leo/lmdm_taichi.py'
    _, said = train(name, tmp_path / 'a', f'{tmp_path}/videos/', *animator, *NO_VIDEO)
    assert 'extracting motion codes of 3 videos' in said and (tmp_path / 'videos_codes' / 'index.json').is_file()
    _, said = train(name, tmp_path / 'b', tmp_path / 'videos', *animator, *NO_VIDEO)
    assert 'encoding' not in said


def test_a_condition_is_not_mistaken_for_another(faces, animator, tmp_path):
    train('configs/leo/lmdm_taichi.py', tmp_path, faces, *animator, *NO_VIDEO)
    config = Config.fromfile(tmp_path / 'lmdm_taichi.py')
    leokit.load(config, newest_checkpoint(tmp_path, pytest.fail)[0])
    with pytest.raises(UserError, match="trained with motion_condition='LinearMotionCondition', but the config builds"):
        leokit.load(config, tmp_path / 'iter_2.pth', cfg_options={'model.motion_condition.type': 'NoMotionCondition'})
