"""``leokit bench models`` at tiny size: every section, and what cannot be timed is said."""

import json
import os

import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
from support.calling import call_command

from leokit.benchmark.speed import SECTIONS
from leokit.benchmark.speed.stage2_training import UPDATES

COMMAND = 'bench models'
FLAGS = ('--device', 'cpu', '--batch-size', 2, '--train-batch-size', 2, '--num-sequences', 2, '--num-frames', 5,
         '--repeats', 2, '--warmup', 1, '--end-to-end-frames', 16)
ANIMATOR = '''
size = 32
model = dict(type='Animator', size='$size', appearance_dim=16, motion_dim=4, max_channels=8, training=dict(
    losses=[dict(type='L1Loss'), dict(type='PerceptualLoss', backbone=dict(type='BACKBONE'))],
    discriminator=dict(type='StyleGAN2Discriminator'), r1=dict(type='R1Penalty', interval=16)))
'''
LMDM = '''
num_frames = 5
model = dict(type='MotionDiffusion', motion_dim=4, num_frames='$num_frames',
             sampler=dict(type='DDIMSampler', num_inference_steps=2),
             backbone=dict(type='UNet1D', channels=(16, 16), num_blocks=1, attention_levels=(), head_dim=8,
                           embedding_dim=16))
'''

START_CODE = '''
train_dataloader = dict(batch_size=3)
model = dict(type='StartCodeDiffusion', motion_dim=4, backbone=dict(type='MLPDenoiser', dim=8, depth=1),
             sampler=dict(type='DDIMSampler', num_inference_steps=2))
'''
START_FRAME = '''
train_dataloader = dict(batch_size=2)
model = dict(type='StartFrameDiffusion', size=16, motion_dim=4, sampler=dict(type='DDIMSampler', num_inference_steps=2),
             backbone=dict(type='UNet2D', channels=(8, 8), num_blocks=1, attention_levels=(), head_dim=8,
                           embedding_dim=16))
'''


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Run with tiny models; the rows by name and what was printed."""
    for name in [name for name in os.environ if name.startswith('MALLOC_') or name in ('GLIBC_TUNABLES', 'LD_PRELOAD')]:
        monkeypatch.delenv(name)

    def run(*flags, backbone='TinyImageFeatures'):
        (tmp_path / 'animator.py').write_text(ANIMATOR.replace('BACKBONE', backbone))
        for name, config in dict(lmdm=LMDM, start_code=START_CODE, start_frame=START_FRAME).items():
            (tmp_path / f'{name}.py').write_text(config)
        status, said = call_command(
            COMMAND, *FLAGS, '--size', 32, '--animator-config', tmp_path / 'animator.py', '--motion-diffusion-config',
            tmp_path / 'lmdm.py', '--start-code-config', tmp_path / 'start_code.py', '--start-frame-config',
            tmp_path / 'start_frame.py', '--out', tmp_path / 'out.json', *flags)
        assert status == 0, said
        return {row['name']: row for row in json.loads((tmp_path / 'out.json').read_text())['rows']}, said
    return run


def test_updates_of_the_weights_in_turn(bench, monkeypatch):
    flags = '--sections', 'stage2_training', '--updates', 'auto', 'torch', 'fused'
    with pytest.raises(AssertionError, match='fused_update=True does not work, because .* is not a CUDA graph'):
        bench(*flags)
    monkeypatch.setitem(UPDATES, 'fused', False)  # as on a CUDA device
    rows, said = bench(*flags)
    name = 'leokit train, 2 x 5 codes'
    assert list(rows) == [name, f'{name}, PyTorch update', f'{name}, fused update']


def test_every_section_reports(bench):
    rows, said = bench('--sections', *(name for name in SECTIONS if name != 'first_frame'))
    names = ('encode, batch 2', 'encode, without fused kernels, batch 2', 'decode from codes',
             'encode driving + decode', 'generator forward + backward', 'full training step', 'LMDM training',
             'LMDM sampling, 2 steps', 'leokit train, 2 x 5 codes', 'starting code, 3, training',
             'starting code, sampling 16, 2 steps', 'starting frame 16 x 16, 2, training',
             'starting frame 16 x 16, sampling 16, 2 steps')
    for name in names:
        row, = (rows[key] for key in rows if key.startswith(name))
        assert row['rate'] > 0 and row['lowest_ms'] <= row['median_ms'] <= row['highest_ms']
    assert rows['decode 1920x1080']['rate'] > 0
    for name in ('read 16 frames of 1920x1080, center', 'read 16 frames of 1920x1080, face', 'modulated conv,',
                 'modulated conv up', 'blur', 'upsample2x', 'bilinear warp', 'temporal conv',
                 'freed memory kept'):
        row, = (rows[key] for key in rows if key.startswith(name))
        assert row['ratio'] == pytest.approx(row['plain_ms'] / row['fast_ms'])
    assert rows['flow generator, one 32 x 32 frame']['gmac'] > 0 and 'CPU' in said
    for name, stages in (('animate, 16 frames', ('reading', 'computing', 'writing')),
                         ('generate, 8 x 2 frames', ('computing', 'writing')),
                         (next(name for name in rows if name.startswith('extract, 32 x 2 frames')),
                          ('reading', 'encoding'))):
        rates = rows[name]['rates']
        assert set(rates) == {*stages, 'end to end'} and min(rates.values()) > 0
        assert rows[name]['share'] == pytest.approx(rates['end to end'] / min(rates[stage] for stage in stages))
    assert rows['one frame, encoded and decoded']['rate'] > 0 and rows['a preview of the page']['rate'] > 0
    assert rows['LMDM backbone, one step of 5 codes']['gmac'] > 0
    fields = {name: rows[name]['receptive_field'] for name in ('UNet1D', 'MotionTransformer', 'TemporalConvNet')}
    assert fields == dict(UNet1D=None, MotionTransformer=None, TemporalConvNet=149)
    # by hand for 5 frames and the default widths: 8 blocks of 12 dim^2 per frame, the rest is a tenth of it
    assert 1 < rows['MotionTransformer']['gmac'] / (5 * 8 * 12 * 384 ** 2 / 1e9) < 1.1
    assert all(14e6 < rows[name]['parameters'] < 16e6 and rows[name]['rate'] > 0 for name in fields)
    assert all(row['peak_mib'] > 50 for row in rows.values() if 'peak_mib' in row)  # torch alone takes more


@pytest.mark.slow
def test_the_first_frame_is_timed_in_new_processes(bench):
    row, = bench('--sections', 'first_frame')[0].values()
    assert 0.5 < row['lowest'] <= row['median'] <= row['highest']  # seconds; torch alone takes longer to import


def test_stage_2_is_timed_eager_and_compiled(bench, monkeypatch):
    monkeypatch.setattr('torch.nn.Module.compile', lambda self, **options: None)  # the names count here, not the speed
    monkeypatch.setattr('torch.compile', lambda function, **options: function)
    rows, _ = bench('--sections', 'stage2', '--compile')
    assert sum(name.startswith('LMDM training') for name in rows) == 2
    assert any(name.endswith('compiled') for name in rows)


def test_missing_perceptual_weights_are_reported_and_the_rest_runs(bench, monkeypatch, tmp_path):
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(tmp_path / 'none'))
    monkeypatch.setattr('urllib.request.urlopen', refuse)
    rows, said = bench('--sections', 'training', 'flops', backbone='VGG19Features')
    assert 'full stage-1 training step: not timed, because the weight file vgg19' in said
    assert any(name.startswith('generator forward') for name in rows) and 'encoder, one 32 x 32 frame' in rows


def refuse(*args, **options):
    raise OSError('no network')


@pytest.mark.parametrize('flags, sentence', [
    (('--device', 'gpu'), "the device 'gpu' is unknown"),
    (('--motion-diffusion-config', 'none.py', '--sections', 'stage2'), 'the config none.py does not exist')])
def test_mistakes_are_one_sentence(flags, sentence):
    status, said = call_command(COMMAND, *FLAGS, *flags)
    assert status == 2 and sentence in said and 'Traceback' not in said
