"""Model folders: what is packed loads again, as data only, and computes the same; damaged folders are refused."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import leokit
from leokit.inference import LEO
from leokit.inference.packing import pack
from leokit.inference.precision import round_weights
from leokit.models import Animator, MotionDiffusion
from leokit.utils import UserError, load_checkpoint, load_config
from leokit.utils.checkpoints import save_checkpoint
from leokit.utils.model_folder import find_model
from support.calling import call_command
from support.tiny_models import SIZE
from support.tiny_runs import write_leo


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp('sources')
    write_leo(folder / 'leo')
    return folder / 'leo'


@pytest.fixture(scope='module')
def packed(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp('packed') / 'my model é'
    # flows of random weights magnify rounding; trained ones do not
    report = pack(leokit.load(sources / 'leo.py'), folder, tolerance=1.0)
    assert not any(rounding.kept for rounding in report.roundings.values())
    return folder


@pytest.fixture
def copied(packed, tmp_path):
    return shutil.copytree(packed, tmp_path / 'copy')


def frames_of(leo, count=2):
    return torch.cat(list(leo.unconditional(count, 6, seed=3)), dim=1)


def test_packed_models_compute_what_their_sources_do(sources, packed):
    before, after = leokit.load(sources / 'leo.py'), leokit.load(packed)
    assert isinstance(after, LEO)
    # float16 has 11 significant bits; the errors of a few layers add up
    assert (frames_of(before) - frames_of(after)).square().mean().sqrt() < 0.02 * frames_of(before).std()
    assert after.generator.motion_diffusion.long_video.context_frames == 2


def test_matrices_are_halves_and_the_rest_is_not(sources, packed):
    with safe_open(packed / 'model.safetensors', 'pt') as file:
        stored = {key: file.get_tensor(key) for key in file.keys()}
    state = load_checkpoint(sources / 'animator.pth')['state_dict']
    for key, weight in state.items():
        halved = weight.ndim > 1 and key != 'motion_space.weight'
        assert stored[f'animator.{key}'].dtype == (torch.float16 if halved else torch.float32), key
        assert torch.equal(stored[f'animator.{key}'], weight.half() if halved else weight)
    assert stored['motion_diffusion.animator_hash'].dtype == torch.uint8
    modes = {path.stat().st_mode & 0o777 for path in packed.iterdir()}
    assert len(modes) == 1  # others may read all files, or none
    assert (packed / 'model.safetensors').stat().st_size < 0.7 * 4 * sum(map(torch.numel, stored.values()))


def test_the_folder_says_what_it_is(packed):
    index = json.loads((packed / 'config.json').read_text())
    assert (index['library_name'], index['kind'], index['size'], index['crop']) == ('leokit', 'LEO', SIZE, 'center')
    assert index['color'] == 'RGB' and index['value_range'] == [-1, 1]
    assert set(index['parts']) == {'animator', 'motion_diffusion', 'start_code', 'start_frame'}
    digest = hashlib.sha256((packed / 'model.safetensors').read_bytes()).hexdigest()
    assert index['weights'] == dict(file='model.safetensors', sha256=digest)
    head = (packed / 'README.md').read_text().split('---\n')[1]
    assert yaml.safe_load(head)['model-index'] == [dict(name='my model é', results=[])]


def test_parts_have_paths_and_fit_wherever_a_checkpoint_does(packed, sources, tmp_path):
    animator = leokit.load(packed / 'animator')
    assert isinstance(animator, Animator) and animator.checkpoint == packed / 'animator'
    assert leokit.load(packed, expect=MotionDiffusion).code_origin.animator_hash == animator.weights_hash()
    # the config decides which model of the folder is its checkpoint
    assert leokit.load(sources / 'animator.py', packed, expect=Animator).weights_hash() == animator.weights_hash()
    config = load_config(packed)
    assert config.animator == dict(config=str(packed / 'animator'), checkpoint=str(packed / 'animator'))
    pack(animator, tmp_path / 'alone', dtype='float32')
    alone = leokit.load(tmp_path / 'alone')
    assert alone.weights_hash() == animator.weights_hash()
    assert 'encoder.from_rgb.weight' in load_file(tmp_path / 'alone' / 'model.safetensors')
    with pytest.raises(UserError, match="has no part 'animater'; .*did you mean 'animator'"):
        leokit.load(f'{packed}/animater')


@pytest.mark.parametrize('name, change, message', [
    ('config.json', lambda path: path.write_text('{'), 'config.json is not JSON'),
    ('config.json', lambda path: path.write_text('{"library_name": "leokit", "format_version": 9}'),
     'format_version=9'),
    ('config.json', lambda path: path.write_text('{"library_name": "leokit", "format_version": 1}'), 'completely'),
    ('model.safetensors', lambda path: path.write_bytes(path.read_bytes()[:-1] + b'x'), 'wrong SHA-256'),
    ('model.safetensors', lambda path: path.write_bytes(b''), 'wrong SHA-256'),
    ('model.safetensors', lambda path: path.unlink(), 'has no model.safetensors')])
def test_damaged_folders(copied, name, change, message):
    change(copied / name)
    with pytest.raises(UserError, match=message):
        leokit.load(copied)


def test_a_config_names_registered_components_only(copied):
    path = copied / 'config.json'
    index = json.loads(path.read_text())
    index['parts']['animator']['config']['model']['encoder'] = dict(type='os.system', command='touch executed')
    path.write_text(json.dumps(index))
    with pytest.raises(UserError, match="'os.system', which is not registered"):
        leokit.load(copied)
    index['benchmark'] = str(copied / 'code.py')
    (copied / 'code.py').write_text('raise SystemExit')
    path.write_text(json.dumps(index))
    with pytest.raises(UserError, match='not the name of a shipped config'):
        leokit.load(copied)


def test_a_folder_is_replaced_only_if_it_is_a_model(sources, copied, tmp_path):
    model = leokit.load(sources / 'animator.py', sources / 'animator.pth')
    with pytest.raises(UserError, match='already exists'):
        pack(model, copied)
    pack(model, copied, overwrite=True)
    assert isinstance(leokit.load(copied), Animator)
    (tmp_path / 'photos').mkdir()
    (tmp_path / 'photos' / 'mine.jpg').touch()
    with pytest.raises(UserError, match='not a model folder'):
        pack(model, tmp_path / 'photos', overwrite=True)
    assert (tmp_path / 'photos' / 'mine.jpg').exists()


def test_tensors_that_change_the_output_too_much_stay_in_float32():
    model = torch.nn.Sequential(*(torch.nn.Linear(64, 64, bias=False) for _ in range(2))).eval()
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(64) * (1 + 2**-12))  # 2**-12 is lost in float16
        model[1].weight.copy_(torch.eye(64))
    model.requires_grad_(False)
    x = torch.eye(64)
    found = round_weights(model, torch.float16, tolerance=1e-4, probe=lambda twin: twin(x) * 1000)
    assert found.kept == ['0.weight'] and found.relative == 0 and found.state['0.weight'].dtype == torch.float32
    assert found.state['1.weight'].dtype == torch.float16 and found.max_difference == 0
    everything = round_weights(model, torch.float16, tolerance=1, probe=lambda twin: twin(x) * 1000)
    # the error is on the diagonal, one element of 64 in a row, as is the output
    assert everything.kept == [] and everything.max_difference == pytest.approx(1000 * 2**-12, rel=1e-3)
    assert everything.relative == pytest.approx(2**-12, rel=0.02)


@pytest.fixture
def zoo(packed, tmp_path, monkeypatch):
    """A zoo of one model, and a working folder elsewhere."""
    from leokit.utils import model_folder
    shutil.copytree(packed, tmp_path / 'zoo' / 'tiny_leo')
    digest = hashlib.sha256((packed / 'config.json').read_bytes()).hexdigest()
    (tmp_path / 'zoo' / 'index.json').write_text(json.dumps(dict(tiny_leo=digest)))
    monkeypatch.setattr(model_folder, 'ZOO', tmp_path / 'zoo')
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    return tmp_path / 'zoo'


def test_commands_take_a_name_of_the_zoo(zoo, clips):
    clips.write(Path('talk.mp4'), clips.frames(5))
    Image.fromarray(clips.frames(1)[0]).save('face.png')
    status, said = call_command('generate', 'tiny_leo', '--unconditional', 2, '--num-frames', 4, '--out', 'tiny_leo')
    assert status == 0, said
    assert sorted(path.name for path in (zoo.parent / 'here' / 'tiny_leo').iterdir()) == ['0000.mp4', '0001.mp4']
    # the folder of that name, which is no model, does not hide the model
    for number, name in enumerate(('tiny_leo', 'tiny_leo/animator')):
        status, said = call_command('animate', name, '--source', 'face.png', '--driving', 'talk.mp4', '--out',
                                    f'{number}.npy')
        assert status == 0, said
    assert np.load('0.npy').shape == (5, SIZE, SIZE, 3) and np.array_equal(np.load('0.npy'), np.load('1.npy'))
    status, said = call_command('zoo', 'list')
    assert status == 0 and 'tiny_leo' in said and f'{SIZE}x{SIZE}' in said
    status, said = call_command('generate', 'tiny_lo', '--unconditional', 2, '--out', 'x')
    assert status == 2 and "did you mean 'tiny_leo'" in said and said.count('\n') == 1


def test_a_zoo_that_was_changed_is_refused(zoo):
    path = zoo / 'tiny_leo' / 'config.json'
    path.write_text(path.read_text() + ' ')
    with pytest.raises(UserError, match='not those of this version of leokit'):
        leokit.load('tiny_leo')


def test_packing_by_command(sources, tmp_path):
    work_dir = tmp_path / 'work dir'
    work_dir.mkdir()
    for name, source in (('animator', 'animator'), ('lmdm', 'motion')):
        folder = work_dir / name
        folder.mkdir()
        shutil.copy(sources / f'{source}.py', folder)
        checkpoint = load_checkpoint(sources / f'{source}.pth')
        checkpoint['raw_state_dict'] = {key: torch.zeros_like(value) for key, value in checkpoint['state_dict'].items()}
        save_checkpoint(checkpoint, folder / 'iter_1.pth')
    out = tmp_path / 'out'
    arguments = ('--animator', work_dir / 'animator', '--motion-diffusion', work_dir / 'lmdm', '--out', out)
    status, said = call_command('zoo pack', *arguments)
    assert status == 0 and 'the output changes by at most' in said and 'MB' in said
    original = load_checkpoint(sources / 'animator.pth')['state_dict']['encoder.from_rgb.weight']
    assert torch.equal(load_checkpoint(f'{out}/animator')['state_dict']['encoder.from_rgb.weight'],
                       original.half().float())
    for wrong, message in (((), 'no model was named'), (arguments, 'already exists'),
                           (('--start-code', work_dir / 'lmdm', '--out', tmp_path / 'x'), 'pass a config of Start')):
        status, said = call_command('zoo pack', *wrong, *([] if wrong else ['--out', tmp_path / 'x']))
        assert status == 2 and message in said and not (tmp_path / 'x').exists(), said


def test_another_librarys_folder_is_not_a_model(tmp_path):
    (tmp_path / 'config.json').write_text('{"model_type": "bert"}')
    save_file({'a': torch.zeros(1)}, tmp_path / 'model.safetensors')
    assert find_model(tmp_path) is None
