"""Exported models: parity, and animation and generation by a program that cannot import leokit."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import leokit
from leokit.inference.export import export_models
from leokit.inference.export_modules import ExportedDecoder, ExportedEncoder
from leokit.models import MotionDiffusion
from leokit.utils import UserError
from support.calling import call_command
from support.tiny_models import SIZE
from support.tiny_runs import write_leo

# what a user writes: encode two images, transfer the motion, sample a sequence by DDIM, decode both
PROGRAM = '''
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('leokit', 'mmengine', 'mmcv'):
            raise ImportError(f'{name} is blocked')

sys.meta_path.insert(0, Blocked())
import numpy as np

description = json.load(open('export.json'))

def load(part):
    entry = description['parts'][part]
    names = [each['name'] for each in entry['inputs']]
    if description['format'] == 'onnx':
        import onnxruntime
        session = onnxruntime.InferenceSession(entry['file'])
        return lambda *inputs: session.run(None, dict(zip(names, inputs)))
    import torch
    program = torch.export.load(entry['file']).module()
    def run(*inputs):
        found = program(*map(torch.from_numpy, inputs))
        return [each.detach().numpy() for each in (found if isinstance(found, tuple) else (found,))]
    return run

given = np.load('given.npz')
encode, decode, denoise = (load(part) for part in ('encoder', 'decoder', 'denoiser'))
appearance, motion, *features = encode(given['images'][:1])
_, driving, *_ = encode(given['images'])
codes = driving[1:] - driving[1:2] + motion
animated, = decode(codes, appearance, *features)
sequence = description['sequences']
x = given['noise']
for t, t_prev in sequence['steps']:
    clean, noise, codes = denoise(x, np.full(1, t), motion)
    signal, rest = (1.0, 0.0) if t_prev < 0 else (sequence['signal_level'][t_prev], sequence['noise_level'][t_prev])
    x = np.float32(np.sqrt(signal)) * clean + np.float32(np.sqrt(rest)) * noise
generated, = decode(codes[0], appearance, *features)
np.savez('found.npz', animated=animated, generated=generated)
'''


@pytest.fixture(scope='module')
def leo(tmp_path_factory):
    options = {'motion_diffusion.cfg_options': {'model.sampler.eta': 0.0}}
    return leokit.load(write_leo(tmp_path_factory.mktemp('leo') / 'leo'), cfg_options=options)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize('file_format', ['onnx', 'torch'])
def test_a_program_without_leokit_animates_and_generates(leo, file_format, tmp_path):
    if file_format == 'onnx':
        pytest.importorskip('onnxruntime')
    report = export_models(leo, tmp_path, file_format=file_format)
    assert [each.part for each in report] == ['encoder', 'decoder', 'denoiser']
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(5, 3, SIZE, SIZE, generator=generator) * 2 - 1
    motion = leo.motion_diffusion
    noise = torch.randn(1, motion.num_frames - 1, motion.motion_dim, generator=generator)
    np.savez(tmp_path / 'given.npz', images=images.numpy(), noise=noise.numpy())
    done = subprocess.run([sys.executable, '-c', PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / 'found.npz')
    with torch.no_grad():
        source, driving = leo.animator.encode(images[:1]), leo.animator.encode(images[1:]).motion[None]
        animated = leo.animator.animate(source, driving, driving[:, 0]).frames[0]
        generated = leo.animator.animate(source, motion.sample(source.motion, noise=noise)).frames[0]
    for name, frames in (('animated', animated), ('generated', generated)):
        error = found[name] - frames.numpy()
        assert np.sqrt((error**2).mean()) < 1e-3 * frames.std(), name


def test_one_part_to_torch(leo, tmp_path):
    status, said = 0, export_models(leo.animator, tmp_path / 'out', file_format='torch', parts=['encoder'])
    assert status == 0 and said[0].max_difference < 1e-4
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['encoder.pt2', 'export.json']
    description = json.loads((tmp_path / 'out' / 'export.json').read_text())
    assert description['parts']['encoder']['inputs'] == [
        dict(name='images', dtype='float32', shape=['batch', 3, SIZE, SIZE])]
    assert description['images']['size'] == SIZE and description['images']['color'] == 'RGB'


def test_a_wrong_export_is_not_kept(leo, tmp_path, monkeypatch):
    forward = ExportedEncoder.forward
    calls = []

    def unstable(self, images):
        calls.append(1)
        return tuple(each + (len(calls) > 1) for each in forward(self, images))

    monkeypatch.setattr(ExportedEncoder, 'forward', unstable)
    with pytest.raises(UserError, match='exported encoder computes another appearance than the model'):
        export_models(leo.animator, tmp_path / 'out', file_format='torch', parts=['encoder'])
    assert not (tmp_path / 'out').exists()


def test_an_export_that_fails_leaves_the_one_before(leo, tmp_path, monkeypatch):
    folder = tmp_path / 'out'
    export_models(leo.animator, folder, file_format='torch')
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == ['decoder.pt2', 'encoder.pt2', 'export.json']
    monkeypatch.setattr(ExportedDecoder, 'example', lambda self: 1 / 0)  # the encoder has been written by then
    with pytest.raises(Exception, match='zero'):
        export_models(leo.animator, folder, file_format='torch')
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_parts_of_another_export_are_not_left_without_description(leo, tmp_path):
    folder = tmp_path / 'out'
    export_models(leo.animator, folder, file_format='torch', parts=['encoder'])
    with pytest.raises(UserError, match='encoder.pt2 is of another export, which export.json would not describe'):
        export_models(leo.motion_diffusion, folder, file_format='torch')
    assert sorted(path.name for path in folder.iterdir()) == ['encoder.pt2', 'export.json']


def test_what_is_not_exported(leo, tmp_path, monkeypatch):
    with pytest.raises(UserError, match='StartCodeDiffusion has no part that is exported'):
        export_models(leo.start_code, tmp_path)
    with pytest.raises(UserError, match='MotionDiffusion has no encoder; its parts are denoiser'):
        export_models(leo.motion_diffusion, tmp_path, parts=['encoder'], file_format='torch')
    assert isinstance(leo.motion_diffusion, MotionDiffusion)
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(UserError, match=r"pip install 'leokit\[export\]'"):
        export_models(leo.animator, tmp_path)
    status, said = call_command('export', 'lia_synthetic_64', '--out', tmp_path / 'x')
    assert status == 2 and 'its checkpoint is needed' in said and not (tmp_path / 'x').exists()
