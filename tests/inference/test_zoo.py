"""The models that come with leokit: complete, small, and better than doing nothing on faces that they have not seen."""

import hashlib
import json

import pytest
import torch
import yaml

import leokit
from leokit.cli.quickstart import SHIPPED
from leokit.inference import LEO
from leokit.inference.loading import LEO_PARTS
from leokit.models import Animator
from leokit.synthetic_faces import SyntheticFacesPlan, render_faces
from leokit.utils import load_config
from leokit.utils.model_folder import LEO_PARTS as PART_NAMES
from leokit.utils.model_folder import ZOO, zoo_hashes

LARGEST = 40 * 10**6


@pytest.fixture(scope='module')
def faces():
    """Frames of drawn faces of another seed than the training's, (4, 12, 3, 128, 128) in [-1, 1]."""
    plan = SyntheticFacesPlan(num_identities=4, clips_per_identity=1, num_frames=12, size=128, seed=12345)
    clips = [render_faces(torch.from_numpy(plan.appearance(clip)), torch.from_numpy(plan.motion(clip)[0]), size=128)
             for clip in plan.clips()]
    return torch.stack([torch.as_tensor(clip) for clip in clips]).float() / 127.5 - 1


def test_the_files_are_those_of_the_index_and_all_are_listed():
    folders = sorted(path.name for path in ZOO.iterdir() if path.is_dir() and path.name != '__pycache__')
    assert folders == sorted(zoo_hashes()) and SHIPPED in folders
    for name, digest in zoo_hashes().items():
        config = (ZOO / name / 'config.json').read_bytes()
        weights = (ZOO / name / 'model.safetensors').read_bytes()
        assert hashlib.sha256(config).hexdigest() == digest
        assert hashlib.sha256(weights).hexdigest() == json.loads(config)['weights']['sha256']
        assert sum(file.stat().st_size for file in (ZOO / name).iterdir()) <= LARGEST
        card = (ZOO / name / 'README.md').read_text()
        assert yaml.safe_load(card.split('---\n')[1])['model-index'][0]['name'] == name
        assert '/work' not in config.decode() + card and 'data_root' not in config.decode()


def test_part_names_agree():
    assert tuple(LEO_PARTS) == PART_NAMES


def test_leo_synthetic_is_complete():
    leo = leokit.load(SHIPPED)
    assert isinstance(leo, LEO) and leo.unconditional_generator.start_code is leo.start_code
    assert leo.generator.fps == 25 and leo.animator.size == 128 and leo.animator.face_crop == 'synthetic_faces'
    config = load_config(SHIPPED)
    assert config.test_cfg.type == 'LEOBenchmark' and config.animator.checkpoint.endswith(f'{SHIPPED}/animator')
    for name in ('yaw', 'pitch', 'mouth_open', 'blink'):
        assert leo.directions.vector(name).abs().max() > 0


@torch.no_grad()
def test_the_animator_reconstructs_unseen_faces(faces):
    animator = leokit.load(SHIPPED, expect=Animator)
    source, driving = faces[:, 0], faces[:, -1]
    frames = animator.transfer(source, driving).frames
    assert (frames - driving).abs().mean() < 0.5 * (source - driving).abs().mean()


@torch.no_grad()
def test_the_direction_of_yaw_turns_heads(faces):
    """The code moves along the direction where the drawing turned: of most pairs, the sign agrees."""
    animator = leokit.load(SHIPPED, expect=Animator)
    names = json.loads((ZOO / SHIPPED / 'directions.json').read_text())
    direction = torch.zeros(animator.motion_dim)
    for number, weight in names['yaw'].items():
        direction[int(number)] = weight
    plan = SyntheticFacesPlan(num_identities=4, clips_per_identity=1, num_frames=12, size=128, seed=12345)
    some = [0, 5, 8, 11]
    yaw = torch.stack([torch.from_numpy(plan.motion(clip)[0])[some, 0] for clip in plan.clips()])  # (4, 4)
    codes = torch.stack([animator.encode(clip[some]).motion for clip in faces])  # (4, 4, N)
    moved = (codes[:, 1:] - codes[:, :1]) @ direction
    turned = yaw[:, 1:] - yaw[:, :1]
    large = turned.abs() > turned.abs().median()
    assert (moved.sign() == turned.sign())[large].float().mean() > 0.9
