import dataclasses

import pytest

from leokit.evaluation import Protocol, as_protocol, load_protocol, preset_names
from leokit.evaluation.protocol import PRESET_FOLDER
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError

PUBLISHED = {'stylegan_v_fvd16', 'stylegan_v_fvd128', 'tats', 'digan', 'digan_taichi', 'leo', 'leo_128', 'leo_long',
             'leo_long_128'}


def test_every_preset_loads_and_the_published_ones_name_their_source():
    assert PUBLISHED | {'quick'} <= set(preset_names())
    for name in preset_names():
        protocol = load_protocol(name)
        assert protocol.name == name
        assert bool(protocol.source) == (name in PUBLISHED)
        assert Protocol.from_dict(protocol.to_dict()) == protocol


@pytest.mark.parametrize(('name', 'facts'), [
    ('stylegan_v_fvd16', ('clips.length 16', 'sampling.num_clips 2048', 'frames.resolution 256',
                          'arithmetic.covariance population', 'arithmetic.kernel subsets')),
    ('stylegan_v_fvd128', ('clips.length 128', 'clips.stride 1', 'sampling.num_clips 2048')),
    ('digan', ('clips.length 16', 'sampling.num_clips 2048', 'sampling.trials 10', 'frames.resolution 128',
               'arithmetic.covariance unbiased', 'arithmetic.kernel full')),
    ('tats', ('clips.length 16', 'sampling.num_clips 2048', 'frames.resolution 128', 'arithmetic.covariance unbiased')),
    ('leo', ('frames.resolution 256', 'sampling.trials 10')),
    ('leo_long', ('clips.length 128', 'frames.resolution 256'))])
def test_presets_agree_with_their_sources(name, facts):
    values = load_protocol(name).to_dict()
    for fact in facts:
        key, value = fact.split()
        section, option = key.split('.')
        assert str(values[section][option]) == value


def test_an_unchanged_preset_has_no_tag_and_a_changed_one_is_marked():
    preset = load_protocol('digan')
    assert preset.tag == ''
    changed = preset.changed({'clips.stride': 4})
    assert (changed.name, changed.tag, changed.clips.stride) == ('digan*', '@16x4', 4)
    assert changed.changed({'clips.stride': 2}).name == 'digan*'
    assert load_protocol('quick').tag == '@16x1'


def test_trials_and_seed_do_not_change_a_preset():
    preset = load_protocol('digan')
    repeated = preset.changed({'sampling.trials': 3, 'sampling.seed': 5, 'sampling.fewer': 'both'})
    assert repeated.name == 'digan' and repeated.comparable() == preset.comparable()
    assert repeated.fingerprint() != preset.fingerprint()


@pytest.mark.parametrize(('section', 'key', 'value'), [
    ('clips', 'length', 32), ('clips', 'stride', 2), ('clips', 'fps', 8.0), ('frames', 'resolution', 64),
    ('frames', 'resize', 'area'), ('frames', 'aspect', 'stretch'), ('sampling', 'num_clips', 64),
    ('sampling', 'real', 'windows'), ('arithmetic', 'covariance', 'population')])
def test_options_that_change_a_score_make_it_incomparable(section, key, value):
    preset = load_protocol('digan')
    assert preset.changed({f'{section}.{key}': value}).comparable() != preset.comparable()


@pytest.mark.parametrize(('options', 'sentence'), [
    ({'clips.lenght': 3}, 'no key clips.lenght.*clips.length'),
    ({'stride': 3}, 'not of the form section.key'),
    ({'clips.length': 1}, 'clips.length must be at least 2'),
    ({'clips.fps': 0}, 'clips.fps must be positive'),
    ({'frames.aspect': 'crop'}, 'frames.aspect must be one of center_crop, stretch, square_only'),
    ({'sampling.num_clips': 1}, 'sampling.num_clips must be at least 2'),
    ({'sampling.real': 'all'}, 'sampling.real must be one of')])
def test_impossible_values_are_refused_in_one_sentence(options, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        load_protocol('quick').changed(options)
    assert '\n' not in str(caught.value)


def test_unknown_presets_and_files_without_a_protocol_are_refused(tmp_path):
    with pytest.raises(UserError, match='no protocol nonsense; presets are .*digan'):
        load_protocol('nonsense')
    config = tmp_path / 'other.py'
    config.write_text('model = dict()\n')
    with pytest.raises(UserError, match='no top-level dict protocol'):
        load_protocol(config)
    with pytest.raises(UserError, match='needs the key name'):
        Protocol.from_dict(dict(clips=dict(length=4)))


def test_a_protocol_in_a_file(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text("protocol = dict(name='mine', clips=dict(length=8, fps=12.5))\n")
    protocol = as_protocol(str(config))
    assert (protocol.clips.length, protocol.clips.fps, protocol.tag) == (8, 12.5, '@8x1')
    assert as_protocol(protocol) is protocol and as_protocol(protocol.to_dict()) == protocol


def test_a_record_names_the_extractor_in_use():
    protocol, used = load_protocol('digan'), FEATURE_EXTRACTORS.build(dict(type='ColorStatistics'))
    assert protocol.extractor == 'I3D' and protocol.as_used(used)['extractor'] == 'ColorStatistics'
    assert 'extractor' not in protocol.as_used()
    for recorded in (protocol.as_used(used), protocol.as_used()):
        assert Protocol.from_dict(recorded).comparable() == protocol.comparable()


def test_every_preset_file_begins_with_its_purpose():
    assert all(path.read_text().startswith('# ') for path in PRESET_FOLDER.glob('*.py'))


def test_a_protocol_based_on_a_preset_has_its_values_but_not_its_source():
    protocol = as_protocol(dict(base='digan', name='mine', clips=dict(stride=4)))
    expected = load_protocol('digan').changed({'clips.stride': 4})
    assert protocol.comparable() == expected.comparable() and protocol.note == expected.note
    assert protocol.name == 'mine' and protocol.source == '' and protocol.tag == '@16x4'
    with pytest.raises(UserError, match='needs the key name'):
        as_protocol(dict(base='digan'))
    with pytest.raises(UserError, match='no protocol nonsense'):
        as_protocol(dict(base='nonsense', name='mine'))


def test_rules_are_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_protocol('quick').clips.length = 3
