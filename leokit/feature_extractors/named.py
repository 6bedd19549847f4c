"""Feature extractors that a person names on a command line."""

from leokit.feature_extractors.base import FeatureExtractor
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError
from leokit.utils.errors import suggest


def named_extractor(kind: str) -> FeatureExtractor:
    """A feature extractor with its default options.

    Args:
        kind (str): Its type in FEATURE_EXTRACTORS.

    Raises:
        UserError: If there is none of that name, or it lacks packages or weights.
    """
    if FEATURE_EXTRACTORS.get(kind) is None:
        known = FEATURE_EXTRACTORS.module_dict
        raise UserError(f'there is no feature extractor {kind}{suggest(kind, known) or "; " + ", ".join(known)}')
    return FEATURE_EXTRACTORS.build(dict(type=kind))
