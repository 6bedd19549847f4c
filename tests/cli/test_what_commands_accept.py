"""Every command that uses a trained model takes it in every form: config and checkpoint, work dir, name, folder."""

import shutil

import numpy as np
import pytest
import support.tiny_extractors  # noqa: F401  registers TinyLandmarks
from support.calling import call_command
from support.code_caches import write_code_cache
from support.tiny_models import SIZE
from support.tiny_runs import write_leo

import leokit
from leokit.inference.packing import pack
from leokit.models import Animator, MotionDiffusion
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint
from leokit.visualization import save_png

MOTION_DATA = "train_dataloader = dict(dataset=dict(type='MotionCodeDataset', codes_dir={codes!r}, num_frames=5))\n"
ANIMATOR_DATA = """
frame_pairs = dict(type='FramePairDataset', data_root={videos!r}, size={size}, pairs_per_video=2)
val_dataloader = test_dataloader = dict(
    dataset='$frame_pairs', batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'))
val_cfg = test_cfg = dict()
val_evaluator = test_evaluator = dict(type='ReconstructionMetric', perceptual=None)
"""
# Forms of a trained model, as arguments; NAME stands for animator or motion.
FORMS = {
    'config and checkpoint': ['{NAME}.py', '{NAME}.pth'],
    'config and work dir': ['{NAME}.py', 'runs/{NAME}'],
    'name of a config and checkpoint': ['tiny_{NAME}', '{NAME}.pth'],
    'work dir': ['runs/{NAME}'],
    'work dir without its config': ['bare/{NAME}'],
    'work dir and checkpoint': ['runs/{NAME}', '{NAME}.pth'],
    'checkpoint': ['runs/{NAME}/iter_10.pth'],
    'model folder': ['folder_{NAME}'],
    'model of a folder': ['zoo/tiny/{PART}'],
    'config and model folder': ['{NAME}.py', 'folder_{NAME}'],
    'name of a model': ['tiny/{PART}'],
    'LEO': ['leo.py'],
    'folder of LEO': ['zoo/tiny'],
    'name of LEO': ['tiny'],
}
OF_LEO = ('LEO', 'folder of LEO', 'name of LEO')
# Without the data that a training config names, there is nothing to test, draw or compare.
WITHOUT_DATA = (*OF_LEO, 'model of a folder', 'name of a model', 'model folder')
ANIMATOR_COMMANDS = {
    'animate': ['--source', 'a.png', '--driving', 'videos/0.npy', '--out', 'out.npy'],
    'edit': ['--video', 'videos/0.npy', '--editor', 'Recolor', '--out', 'out.npy'],
    'manipulate': ['--image', 'a.png', '--apply', '0=0.5', '--out', 'out.png'],
    'extract': ['--videos', 'videos', '--out', 'out', '--workers', 1],
    'live': ['--camera', 'camera.mp4', '--source', 'a.png', '--out', 'out.mp4'],
    'analyze disentangle': ['--source', 'a.png', 'b.png', '--driving', 'videos', '--num-frames', 3, '--extractor',
                            'ColorStatistics', '--out', 'out'],
    'analyze contact-sheet': ['--out', 'out.png'],
    'analyze expressions': ['--extractor', 'TinyLandmarks', '--out', 'out.json'],
    'test': ['--out', 'out.json'],
}
MOTION_COMMANDS = {
    'generate': ['--image', 'a.png', '--out', 'out', '--format', 'npy'],
    'analyze long-video': ['--num-frames', 12, '--segments', 2, '--num-sequences', 2, '--strategies', 'LastCode',
                           '--out', 'out.json'],
}
NEEDS_DATA = ('analyze contact-sheet', 'analyze expressions', 'analyze long-video', 'test')
NO_DEVICE = ('test',)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """The forms of tiny models, and inputs."""
    folder = tmp_path_factory.mktemp('forms')
    random = np.random.default_rng(0)
    (folder / 'videos').mkdir()
    shades = np.array([20, 90, 160, 220], dtype=np.uint8)  # what TinyLandmarks takes for an expression
    for number in range(2):
        np.save(folder / 'videos' / f'{number}.npy', np.broadcast_to(shades[:, None, None, None], (4, SIZE, SIZE, 3)))
    for name in ('a.png', 'b.png'):
        save_png(folder / name, random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))
    leokit.load(write_leo(folder)).save(np_stream(folder / 'videos' / '0.npy'), folder / 'camera.mp4')
    data = dict(animator=ANIMATOR_DATA.format(videos=str(folder / 'videos'), size=SIZE),
                motion=MOTION_DATA.format(codes=str(write_code_cache(folder / 'codes'))))
    for name in ('animator', 'motion'):
        config = folder / f'{name}.py'
        text = config.read_text().replace('config=None, checkpoint=None',
                                          f'config={str(folder / "animator.py")!r}, '
                                          f'checkpoint={str(folder / "animator.pth")!r}')
        config.write_text(text + data[name])
        for place in ('runs', 'bare'):
            work_dir = folder / place / name
            work_dir.mkdir(parents=True)
            content = load_checkpoint(folder / f'{name}.pth')
            content['meta'].update(iter=10, cfg=leokit.utils.load_config(config).to_dict())
            save_checkpoint(content, work_dir / 'iter_10.pth')
        shutil.copy(config, folder / 'runs' / name)
        pack(leokit.load(config, folder / f'{name}.pth'), folder / f'folder_{name}', dtype='float32')
    pack(leokit.load(folder / 'leo.py'), folder / 'zoo' / 'tiny', dtype='float32')
    return folder


def np_stream(path):
    from leokit.utils.pixels import from_uint8
    import torch
    yield from_uint8(torch.from_numpy(np.load(path)).permute(0, 3, 1, 2))[None]


@pytest.fixture
def call(folder, tmp_path, monkeypatch):
    """Call a command with a form of a model; paths of the options are those of the inputs."""
    from leokit.utils import model_folder, shipped
    from leokit.utils.files import file_sha256
    names = shipped.config_names()
    monkeypatch.setattr(shipped, 'config_names', lambda: {
        **names, 'tiny_animator': folder / 'animator.py', 'tiny_motion': folder / 'motion.py'})
    monkeypatch.setattr(model_folder, 'ZOO', folder / 'zoo')
    monkeypatch.setattr(model_folder, 'zoo_hashes', lambda: {
        'tiny': file_sha256(folder / 'zoo' / 'tiny' / 'config.json')})
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    for name in ('a.png', 'b.png', 'videos', 'camera.mp4', 'animator.py', 'animator.pth', 'motion.py', 'motion.pth',
                 'runs', 'bare', 'leo.py', 'folder_animator', 'folder_motion'):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / 'zoo').symlink_to(folder / 'zoo')
    monkeypatch.chdir(tmp_path)

    def call(command, form, name, *more):
        part = {'animator': 'animator', 'motion': 'motion_diffusion'}[name]
        model = [text.format(NAME=name, PART=part) for text in FORMS[form]]
        device = () if command in NO_DEVICE else ('--device', 'cpu')
        return call_command(command, *model, *more, *device)
    return call


def check(call, tmp_path, command, form, name, arguments):
    status, said = call(command, form, name, *arguments)
    if command in NEEDS_DATA and form in WITHOUT_DATA:
        assert status == 2 and said.count('error: ') == 1 and 'Traceback' not in said, said
    else:
        assert status == 0, said
        assert list(tmp_path.glob('out*'))


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('command', ANIMATOR_COMMANDS)
def test_commands_of_animators(call, tmp_path, command, form):
    check(call, tmp_path, command, form, 'animator', ANIMATOR_COMMANDS[command])


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('command', MOTION_COMMANDS)
def test_commands_of_motion_diffusions(call, tmp_path, command, form):
    arguments = list(MOTION_COMMANDS[command])
    if command == 'generate' and ('folder' in form or 'name of a model' == form) and form not in OF_LEO:
        arguments += ['--animator-checkpoint', 'runs/animator']  # a model folder does not name its animator
    check(call, tmp_path, command, form, 'motion', arguments)


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('name, kind', [('animator', Animator), ('motion', MotionDiffusion)])
def test_load(call, form, name, kind):
    part = {'animator': 'animator', 'motion': 'motion_diffusion'}[name]
    model = leokit.load(*(text.format(NAME=name, PART=part) for text in FORMS[form]), expect=kind)
    expected = load_checkpoint(f'{name}.pth')['state_dict']
    assert isinstance(model, kind) and all((model.state_dict()[key] == expected[key]).all() for key in expected)
