"""The metafile.yml of each folder of configs, in OpenMMLab's form, says what the configs and model cards say."""

from pathlib import Path

import pytest
import yaml

from leokit.utils import load_config
from leokit.utils.model_folder import CARD_FILE

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent.relative_to(ROOT).as_posix() for path in (ROOT / 'configs').glob('*/metafile.yml'))
SIZES = {'Resolution': 'size', 'Iterations': 'max_iters'}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_every_folder_of_models_has_one_and_the_index_names_it():
    holding_models = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / 'configs').glob('*/*.py')}
    assert holding_models - set(FOLDERS) == {'configs/_base_', 'configs/ablations'}
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert sorted(index['Import']) == [f'{folder}/metafile.yml' for folder in FOLDERS]


@pytest.mark.parametrize('folder', FOLDERS)
def test_it_describes_every_config_of_the_folder(folder):
    metafile = yaml.safe_load((ROOT / folder / 'metafile.yml').read_text())
    collections = {collection['Name']: collection for collection in metafile['Collections']}
    models = metafile['Models']
    assert [model['Config'] for model in models] == sorted(
        path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob('*.py'))
    assert {model['In Collection'] for model in models} == set(collections)
    for collection in collections.values():
        assert (ROOT / collection['README']).is_file()
        assert collection.get('Paper', {}).get('URL', 'https://').startswith('https://')
    for model in models:
        config = load_config(model['Config'])
        assert model['Name'] == Path(model['Config']).stem
        for title, key in SIZES.items():
            assert model.get('Metadata', {}).get(title) == config.get(key), (model['Name'], title)


@pytest.mark.parametrize('folder', FOLDERS)
def test_results_of_shipped_weights_are_those_of_their_card(folder):
    for model in yaml.safe_load((ROOT / folder / 'metafile.yml').read_text())['Models']:
        for result in model.get('Results', []):
            assert {'Task', 'Dataset', 'Metrics'} == set(result)
            assert all(isinstance(value, (int, float)) for value in result['Metrics'].values())
        if 'Weights' in model:
            card = yaml.safe_load((ROOT / model['Weights'] / CARD_FILE).read_text().split('---\n')[1])
            listed = {metric['type']: metric['value'] for entry in card['model-index'] for result in entry['results']
                      for metric in result['metrics']}
            assert listed == {key: value for result in model['Results'] for key, value in result['Metrics'].items()}
