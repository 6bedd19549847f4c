"""What a command imports: nothing slow that it does not need, whatever else is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HELP = '''
import sys
from leokit.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
slow = {'torch', 'numpy', 'mmengine', 'cv2', 'av', 'scipy'} & set(sys.modules)
assert not slow, slow
'''
RUN = '''
import gc, sys
collections_of_imports = []
def count(phase, info):
    if 'torch._C' in sys.modules and 'leokit.utils' not in sys.modules:
        collections_of_imports.append(info)
gc.callbacks.append(count)
from leokit.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
slow = {'mmengine.optim', 'mmengine.model', 'mmengine.runner', 'torch._dynamo', 'scipy', 'sympy', 'matplotlib',
        'torchvision', 'pandas', 'gradio', 'onnx', 'dlib', 'mmcv', 'leokit.datasets'} & set(sys.modules)
assert not slow, slow
assert gc.isenabled() and gc.get_freeze_count() > 100_000  # the objects of the imports, which took no collection
assert not collections_of_imports, collections_of_imports
'''


@pytest.fixture
def broken(tmp_path):
    """A folder with packages that must not be imported; the first import of one ends the program."""
    for name in ('transformers', 'peft', 'bitsandbytes', 'lion_pytorch', 'dadaptation'):
        folder = tmp_path / 'broken' / name
        folder.mkdir(parents=True)
        (folder / '__init__.py').write_text(f'raise SystemExit("{name} was imported")')
    return tmp_path / 'broken'


def run(code, *arguments, path=''):
    root = Path(__file__).parents[2]
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(path), str(root)]), 'OMP_NUM_THREADS': '1'}
    result = subprocess.run([sys.executable, '-c', code, *map(str, arguments)], env=environment, capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize('command', ['animate', 'generate', 'edit'])
def test_help_imports_nothing_slow(command):
    assert f'leokit {command}' in run(HELP, command, '--help')


def test_inference_needs_no_optimizer_and_no_compiler(models, broken, tmp_path, clips):
    import numpy as np
    from PIL import Image
    Image.fromarray(clips.frames(1)[0]).save(tmp_path / 'face.png')
    np.save(tmp_path / 'driving.npy', clips.frames(4))
    said = run(RUN, 'animate', models['animator_config'], models['animator'], '--source', tmp_path / 'face.png',
               '--driving', tmp_path / 'driving.npy', '--out', tmp_path / 'out.mp4', '--device', 'cpu', path=broken)
    assert 'out.mp4: 4 frames' in said
    # a model folder, whose config is data: its types are looked up
    said = run(RUN, 'animate', 'leo_synthetic', '--source', tmp_path / 'face.png', '--driving',
               tmp_path / 'driving.npy', '--out', tmp_path / 'out.mp4', '--device', 'cpu', path=broken)
    assert 'out.mp4: 4 frames' in said
    # the folder is in the way of those who need it
    assert 'transformers was imported' in subprocess.run(
        [sys.executable, '-c', 'import transformers'], env={**os.environ, 'PYTHONPATH': str(broken)},
        capture_output=True, text=True).stderr
