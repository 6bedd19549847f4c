import pytest
from engine.toys import toy_config, train, with_validation
from mmengine.registry import OPTIMIZERS
from torch import nn

from leokit.engine import LeoRunner, check_config_keys, explain_build_errors
from leokit.registry import ENCODERS, IMAGE_EDITORS, MODELS, VIDEO_READERS
from leokit.utils import UserError


class Part:
    def __init__(self, *, size=3, width=2):
        self.helper(size=size)

    def helper(self, size):
        if size < 1:
            raise ValueError(f'size must be at least 1, got {size}')


class Careless(Part):
    def __init__(self, **options):
        self.helper(sice=3)


class Needy:
    def __init__(self, *, size):
        pass


class Plain(nn.Module):
    pass


class Bare:
    def __init__(self):
        pass


class Open(Needy):
    def __init__(self, **options):
        super().__init__(**options)


class Buggy:
    def __init__(self):
        {}['missing']


PARTS = (Part, Careless, Needy, Plain, Bare, Open, Buggy)


@pytest.fixture(autouse=True)
def parts():
    for part in PARTS:
        ENCODERS.register_module(module=part)
    yield
    for part in PARTS:
        del ENCODERS.module_dict[part.__name__]


@pytest.mark.parametrize('part, sentence', [
    (dict(type='Prt'), r"^'Prt' \(at model\.parts\[1\]\) is not a type of the registry 'encoders'; did you mean 'Part"),
    (dict(type='Part', sizes=3), r"^Part \(at model\.parts\[1\]\) takes no argument 'sizes'; did you mean 'size'"),
    (dict(type='Part', color=3), r"takes no argument 'color'; it takes size, width"),
    (dict(type='Part', size=0), r'^Part \(at model\.parts\[1\]\) cannot be built: size must be at least 1, got 0'),
    (dict(type='Part', size='3'), r"Part .* built: '<' not supported .* \(LEOKIT_TRACEBACK=1 shows where\)"),
    (dict(type='Careless'), r"Careless .* takes no argument 'sice'; did you mean 'size'"),
    (dict(type='Plain', grid=1), r"Plain .* takes no argument 'grid'; it takes none, so replace the whole entry: "
                                 r'\{"_delete_": True, "type": "Plain"\}$'),
    (dict(type='Bare', grid='centers'), r"Bare .* takes no argument 'grid'; it takes none, so replace the whole entry"),
    (dict(type='Open', size=1, grid='centers'), r"Open \(at model\.parts\[1\]\) takes no argument 'grid'$"),
    (dict(type='Needy'), r"Needy .* cannot be built: .*__init__\(\) missing 1 required keyword-only argument: 'size'"),
    (dict(size=3), r"this part of the config has no 'type': \{'size': 3\}")])
def test_mistakes_in_a_component_are_explained(part, sentence):
    config = dict(model=dict(type='M', parts=[dict(type='Other'), part]))
    with pytest.raises(UserError, match=sentence):
        with explain_build_errors(config):
            ENCODERS.build(part)


def test_a_string_in_place_of_a_component_is_explained():
    with pytest.raises(UserError, match="must be a dict with a 'type', but here it is 'Part'"):
        with explain_build_errors({}):
            ENCODERS.build('Part')


@pytest.mark.parametrize('error, action', [
    (KeyError, lambda: ENCODERS.build(dict(type='Buggy'))),
    (TypeError, lambda: int([])), (ValueError, lambda: int('x')), (KeyError, lambda: {}['a'])])
def test_other_errors_keep_their_traceback(error, action):
    with pytest.raises(error) as caught:
        with explain_build_errors({}):
            action()
    assert not isinstance(caught.value, UserError)


def test_types_of_mmengine_are_suggested_too(tmp_path):
    config = toy_config(tmp_path, param_scheduler=[dict(type='CosineAnealingLR', T_max=3, by_epoch=False)])
    with pytest.raises(UserError, match=r"'CosineAnealingLR' \(at param_scheduler\[0\]\).*'CosineAnnealingLR'"):
        train(config)


@pytest.mark.parametrize('changes, sentence', [
    ({'model.widht': 3}, r"ToyModel \(at model\) takes no argument 'widht'; did you mean 'width'"),
    ({'optim_wrapper.optimizer.lrr': 3}, r"Adam \(at optim_wrapper\.optimizer\) takes no argument 'lrr'; did you mean"),
    ({'optim_wrapper.dtype': 'float16'}, r'AutocastOptimWrapper \(at optim_wrapper\) cannot be built: dtype must be'),
    ({'train_cfg.max_iter': 3}, r"takes no argument 'max_iter'; did you mean 'max_iters'"),
    ({'train_dataloader.batch_sise': 3}, r"takes no argument 'batch_sise'; did you mean 'batch_size'"),
    ({'train_dataloader.dataset.lenght': 3}, r"ToyData \(at train_dataloader\.dataset\) takes no argument 'lenght'"),
    ({'train_dataloader.sampler.type': 'DeterminsticSampler'}, r"did you mean 'DeterministicSampler'"),
    ({'default_hooks.checkpoint.type': 'CheckpointHok'}, r"'CheckpointHok'.*did you mean 'CheckpointHook'"),
    ({'val_cfg.fp17': True}, r"takes no argument 'fp17'; did you mean 'fp16'"),
    ({'optim_wrapper.optimizer.type': 'Adm'}, r"'Adm' \(at optim_wrapper\.optimizer\) is not a type .*'Adam'"),
    ({'optim_wrapper.accumulative_counts': 0}, r'AutocastOptimWrapper .* cannot be built: .*equal to 1'),
    ({'train_dataloader.batch_size': 0}, 'train_dataloader.batch_size must be an integer from 1 to 1048576, got 0'),
    ({'train_dataloader.batch_size': 10**9}, 'train_dataloader.batch_size must be an integer from 1'),
    ({'train_dataloader.num_workers': -1}, 'train_dataloader.num_workers must be an integer from 0 to 4096'),
    ({'train_dataloader.num_workers': 1.5}, 'train_dataloader.num_workers must be an integer'),
    ({'custom_hooks': 5}, 'custom_hooks must be a list of dicts, .* got 5'),
    ({'custom_hooks': [5]}, 'custom_hooks must be a list of dicts'),
    ({'default_hooks.checkpoint.max_keep_ckpts': 'abc'}, "max_keep_ckpts must be an integer, 0 to keep all, got 'abc'"),
    ({'env_cfg': dict(mp_cfg=dict(mp_start_method='frok'))}, "env_cfg cannot be built: cannot find context for 'frok'"),
    ({'randomness.seed': 'abc'}, 'randomness cannot be built: '),
    ({'log_level': 'LOUD'}, "log_level cannot be built: 'LOUD'"),
    ({'compile': 3}, 'compile=3 must be True, False or a'),
    ({'param_scheduler': ['LinearLR']}, 'param_scheduler cannot be built: '),
    ({'train_cfg.max_iters': 'abc'}, "train_cfg.max_iters='abc' must be an integer of at least 1"),
    ({'train_cfg.val_interval': 0}, 'train_cfg.val_interval=0 must be an integer of at least 1')])
def test_mistakes_in_a_whole_config_are_explained(tmp_path, changes, sentence):
    config = toy_config(tmp_path, **with_validation())
    config.merge_from_dict(changes)
    with pytest.raises(UserError, match=sentence):
        train(config)


def test_top_level_keys_are_checked(tmp_path):
    config = toy_config(tmp_path, data_root='x', size=3, models_dir='y')
    check_config_keys(config)
    config['param_schedulers'] = config.pop('param_scheduler')
    with pytest.raises(UserError, match="'param_schedulers' is used by nothing; rename it to 'param_scheduler'"):
        LeoRunner.from_cfg(config)
    with pytest.raises(UserError, match="the config has no 'model'"):
        check_config_keys(dict(modul=3))
    for model in (5, None, [dict(type='ToyModel')]):
        with pytest.raises(UserError, match='model must be a dict with a type'):
            check_config_keys(dict(model=model))
    with pytest.raises(UserError, match="has optim_wrapper, train_dataloader but no 'train_cfg'; .* 'train_config'"):
        check_config_keys(dict(model={}, train_dataloader=1, optim_wrapper=1, train_config=2))


def test_a_model_type_that_is_a_class_builds():
    with explain_build_errors({}):
        assert isinstance(MODELS.build(dict(type=Part, size=2)), Part)


def test_registries_of_leokit_explain_mistakes_by_themselves():
    with pytest.raises(UserError, match="^'Prt' is not a type of the registry 'encoders'; did you mean 'Part"):
        ENCODERS.build(dict(type='Prt'))


def test_registries_of_mmengine_explain_mistakes_inside_the_block_only():
    for _ in range(2):
        with pytest.raises(UserError, match="'Adm' is not a type of the registry 'optimizer'"):
            with explain_build_errors():
                OPTIMIZERS.build(dict(type='Adm'))
        with pytest.raises(KeyError) as caught:
            OPTIMIZERS.build(dict(type='Adm'))
        assert not isinstance(caught.value, UserError)


@pytest.mark.parametrize('name', ['os.system', 'os.path.join', 'builtins.exec', 'subprocess.Popen'])
def test_a_dotted_name_is_not_imported(name):
    for registry in (IMAGE_EDITORS, MODELS, VIDEO_READERS):
        assert registry.get(name) is None
        with pytest.raises(UserError, match=f'{name!r} is not a type of the registry'):
            registry.build(dict(type=name))


def test_scopes_of_registries_are_known():
    assert MODELS.get('mmengine.BaseDataPreprocessor').__name__ == 'BaseDataPreprocessor'
    assert MODELS.get('leokit.PixelPreprocessor').__name__ == 'PixelPreprocessor'
