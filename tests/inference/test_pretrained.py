"""from_pretrained, save_pretrained, push_to_hub: local folders, and a stand-in of the hub at the level of HTTP."""

import sys

import pytest
import torch

import leokit
from leokit.inference import LEO
from leokit.models import Animator, MotionDiffusion
from leokit.utils import UserError
from support.calling import call_command
from support.stand_in_hub import stand_in_hub
from support.tiny_models import make_animator
from support.tiny_runs import write_leo


@pytest.fixture(scope='module')
def leo(tmp_path_factory):
    return leokit.load(write_leo(tmp_path_factory.mktemp('leo') / 'leo'))


@pytest.fixture
def hub(monkeypatch, tmp_path):
    constants = pytest.importorskip('huggingface_hub.constants')
    with stand_in_hub() as server:
        monkeypatch.setattr(constants, 'ENDPOINT', server.address)
        monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE',
                            server.address + '/{repo_id}/resolve/{revision}/{filename}')
        monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'cache'))
        monkeypatch.setattr(constants, 'HF_HUB_DISABLE_XET', True)
        monkeypatch.setenv('HF_TOKEN', 'hf_test')
        yield server


def same_weights(first, second):
    state = second.state_dict()
    return all(torch.equal(weight, state[key]) for key, weight in first.state_dict().items())


def test_a_saved_folder_has_the_exact_weights(leo, tmp_path):
    leo.save_pretrained(tmp_path / 'mine')
    again = LEO.from_pretrained(tmp_path / 'mine')
    for name in ('animator', 'motion_diffusion', 'start_code'):
        assert same_weights(getattr(leo, name), getattr(again, name)), name
    animator = Animator.from_pretrained(str(tmp_path / 'mine'))
    assert animator.weights_hash() == leo.animator.weights_hash()
    animator.save_pretrained(tmp_path / 'mine')  # replaces
    assert type(leokit.from_pretrained(tmp_path / 'mine')) is Animator
    with pytest.raises(UserError, match='pass a config of MotionDiffusion'):
        MotionDiffusion.from_pretrained(tmp_path / 'mine')


def test_what_is_no_model(tmp_path):
    for name in ('leo_synthetik', tmp_path, 'a/b/c'):
        with pytest.raises(UserError, match='neither a model folder nor the name of a model'):
            leokit.from_pretrained(name)
    with pytest.raises(UserError, match='built without a config'):
        make_animator().save_pretrained(tmp_path / 'x')
    assert not (tmp_path / 'x').exists()


def test_to_the_hub_and_back(leo, hub, tmp_path):
    address = leo.push_to_hub('someone/leo-mine')
    assert 'someone/leo-mine' in address
    assert set(hub.repositories['someone/leo-mine']) >= {'config.json', 'model.safetensors', 'README.md'}
    hub.repositories['someone/leo-mine']['run_me.py'] = b'raise SystemExit'
    again = leokit.from_pretrained('someone/leo-mine', cache_dir=tmp_path / 'own')
    assert same_weights(leo.motion_diffusion, again.motion_diffusion)
    fetched = {path.rpartition('/')[2] for method, path in hub.requests if '/resolve/' in path}
    assert {'config.json', 'model.safetensors'} <= fetched and 'run_me.py' not in fetched
    status, said = call_command('generate', 'hf://someone/leo-mine', '--unconditional', 1, '--num-frames', 3, '--out',
                                tmp_path / 'out')
    assert status == 0 and (tmp_path / 'out' / '0000.mp4').is_file(), said
    part = leokit.load('hf://someone/leo-mine@main/animator')
    assert part.weights_hash() == leo.animator.weights_hash()


def test_errors_of_the_hub(leo, hub, monkeypatch):
    with pytest.raises(UserError, match='someone/none cannot be downloaded .*check the name') as caught:
        leokit.from_pretrained('someone/none')
    assert '\n' not in str(caught.value)
    with pytest.raises(UserError, match='is not an address of a model'):
        leokit.load('hf://leo')
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(UserError, match=r"pip install 'leokit\[hub\]'"):
        leo.push_to_hub('someone/leo-mine')
