import pytest
from studies.stand_ins import STUDY, write_study

from leokit.studies import Metric, load_study
from leokit.utils import UserError


def test_a_study_is_read_and_changed(tmp_path):
    path, _ = write_study(tmp_path)
    study = load_study(path, {'seeds': [5], 'options.max_iters': 7})
    assert [variant.folder for variant in study.variants] == ['good', 'bad_one']
    assert study.reference.name == 'good' and study.seeds == (5,)
    assert study.options == {'test_cfg.scale': 2.0, 'max_iters': 7}
    assert study.variants[1].options == {'model.quality': 3.0}
    assert study.variants[0].config == study.variants[1].config == str(tmp_path / 'base.py')


def test_references_are_resolved_by_the_variants(tmp_path):
    path, _ = write_study(tmp_path, STUDY.replace("'test_cfg.scale': 2.0", "'test_cfg.scale': '$nowhere'"))
    assert load_study(path).options['test_cfg.scale'] == '$nowhere'


def test_lower_losses_are_better():
    assert Metric('fvd').loss(3.0) == 3.0 and Metric('psnr', target='high').loss(3.0) == -3.0
    assert Metric('ratio', target=1.0).loss(0.75) == Metric('ratio', target=1).loss(1.25) == 0.25
    with pytest.raises(UserError, match="target of metric 'x' is 'lower'"):
        Metric('x', target='lower')


@pytest.mark.parametrize('before, after, sentence', [
    ("name='bad one'", "name='GOOD'", 'need names that differ'),
    ("name='bad one'", "nane='bad one'", 'an entry of the study .* does not fit'),
    ("base = '{base}'", '', "variant 'good' .* has no config"),
    ('curves', 'curve', "unknown key 'curve'; did you mean 'curves'"),
    ('seeds = [0, 1, 2]', 'seeds = [0, 0]', 'seeds .* must be different non-negative integers'),
    ('seeds = [0, 1, 2]', '', 'has no seeds'),
    ("dict(name='good')", "dict(name='good', metrics='error')", "metrics of the variant 'good' .* must be a list"),
    ("dict(name='good')", "dict(name='good', metrics=['eror'])", "'good' .* has the metric 'eror', which is not"),
    ('seeds = [', "reference = 'best'\nseeds = [", "reference 'best' .* not one of its variants")])
def test_mistakes_are_named(tmp_path, before, after, sentence):
    assert before in STUDY
    path, _ = write_study(tmp_path, STUDY.replace(before, after))
    with pytest.raises(UserError, match=sentence):
        load_study(path)


def test_a_missing_file_is_named():
    with pytest.raises(UserError, match='the config none.py does not exist'):
        load_study('none.py')


@pytest.mark.parametrize('variant', ["dict(name='later', train=False)", "dict(name='later', after='unknown')",
                                     "dict(name='later', after='last'), dict(name='last')"])
def test_a_dependent_variant_names_one_before_it(tmp_path, variant):
    path, _ = write_study(tmp_path, STUDY.replace("dict(name='good'),", f"dict(name='good'), {variant},"))
    with pytest.raises(UserError, match="the variant 'later' of .* needs the training of another one"):
        load_study(path)
