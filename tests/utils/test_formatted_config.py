import copy
import pickle

import pytest
from mmengine.config import Config, config

from leokit.utils.formatted_config import FormattedOnce

VALUES = dict(size=64, name='a', model=dict(type='Model', widths=[1, 2], options={'a-b': (1.5, None)}),
              hooks=[dict(type='A'), dict(type='B', values=list(range(60)))])


@pytest.fixture
def formats(monkeypatch):
    """The texts that MMEngine has formatted."""
    texts = []
    original = config.FormatCode
    monkeypatch.setattr(config, 'FormatCode', lambda text, **options: texts.append(text) or original(text, **options))
    return texts


def test_the_text_is_mmengines(formats):
    plain = Config(VALUES)
    formatted = FormattedOnce.of(plain)
    assert formatted.pretty_text == formatted.pretty_text == formatted.dump()
    assert len(formats) == 1
    assert formatted.pretty_text == plain.pretty_text


def test_copies_do_not_format_again(formats):
    formatted = FormattedOnce.of(Config(VALUES))
    text = formatted.pretty_text
    assert [each(formatted).pretty_text for each in (copy.copy, copy.deepcopy)] == [text, text]
    assert len(formats) == 1
    assert pickle.loads(pickle.dumps(formatted)).pretty_text == text


def test_changes_of_the_content_change_the_text():
    formatted = FormattedOnce.of(Config(VALUES))
    texts = {formatted.pretty_text}
    formatted.size = 128
    texts.add(formatted.pretty_text)
    formatted.model.widths.append(3)
    texts.add(formatted.pretty_text)
    assert len(texts) == 3
    assert formatted.pretty_text == Config(formatted._cfg_dict.to_dict()).pretty_text


def test_no_key_is_added():
    formatted = FormattedOnce.of(Config(VALUES))
    formatted.pretty_text  # noqa: B018
    assert set(formatted) == set(VALUES)
