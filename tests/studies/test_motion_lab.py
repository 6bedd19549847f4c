"""The studies of motion diffusion: every variant is a model that can be built, under three seeds."""

from pathlib import Path

import pytest

from leokit.registry import MODELS
from leokit.studies import load_study, plan_runs

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / 'configs' / 'ablations').glob('motion_lab_*.py'))


def test_the_page_lists_them():
    page = (ROOT / 'docs' / 'studies.md').read_text()
    results = (ROOT / 'docs' / 'results' / 'motion_lab.md').read_text()
    assert len(STUDIES) == 9
    for path in STUDIES:
        assert f'| `{path.stem}` |' in page and f'leokit ablate {path.stem} ' in results


@pytest.mark.parametrize('path', STUDIES, ids=lambda path: path.stem)
def test_every_variant_builds_and_differs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    study = load_study(path)
    runs = plan_runs(study, tmp_path)
    assert len(set(study.seeds)) >= 3 and len(runs) == len(study.seeds) * len(study.variants)
    described = set()
    for run in runs:
        if run.seed != study.seeds[0]:
            continue
        config = run.config
        described.add(str([run.variant.train, run.variant.after, config.model, config.get('long_video'),
                           config.get('train_dataloader'), config.test_cfg, config.get('max_iters')]))
        weights = sum(weight.numel() for weight in MODELS.build(config.model).parameters())
        assert weights > 1e6
    assert len(described) == len(study.variants)
