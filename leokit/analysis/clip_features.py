"""Features of clips in files, so that an interrupted comparison continues and a new set does not repeat the others."""

import hashlib
from pathlib import Path
from typing import Callable, Sequence

from torch import Tensor

from leokit.evaluation.feature_files import read_features, write_features


class ClipFeatureCache:
    """Per-frame features of clips, named by a hash of everything that they depend on.

    Args:
        folder (Path, optional): Where the files are; None stores nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, key: Sequence[object], compute: Callable[[], Tensor]) -> Tensor:
        """Stored features (T, d), or computed and stored ones.

        Args:
            key (Sequence[object]): Content of the clip, how its frames are read, and the extractor's fingerprint.
            compute (Callable): Returns the features.
        """
        if self.folder is None:
            return compute()
        path = self.folder / f'{hashlib.sha256(repr(tuple(key)).encode()).hexdigest()[:32]}.pt'
        features = read_features(path)
        if features is None:
            features = compute()
            write_features(path, features)
        return features
