import pytest
from support.tiny_extractors import TinyImageFeatures

from leokit.feature_extractors import named_extractor
from leokit.utils import UserError


def test_a_name_stands_for_its_defaults():
    assert isinstance(named_extractor('TinyImageFeatures'), TinyImageFeatures)


def test_an_unknown_name_is_one_sentence():
    with pytest.raises(UserError, match="there is no feature extractor TinyImageFeature; did you mean 'TinyImageF"):
        named_extractor('TinyImageFeature')
