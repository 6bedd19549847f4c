"""``from_pretrained``, ``save_pretrained`` and ``push_to_hub`` of models, as in the libraries of Hugging Face."""

from pathlib import Path
from typing import Any, TypeVar

T = TypeVar('T', bound='Pretrained')


class Pretrained:
    """Mixin of what a model folder can hold: a single model, or LEO.

    The work is done by :mod:`leokit.inference.pretrained`, which is imported when it is needed because it builds on the
    models.
    """

    @classmethod
    def from_pretrained(cls: type[T], name: str | Path, **options: Any) -> T:
        """Load a trained model of this class; see :func:`leokit.from_pretrained`."""
        from leokit.inference.pretrained import from_pretrained
        return from_pretrained(name, expect=cls, **options)

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> None:
        """Write a model folder; see :func:`leokit.inference.pretrained.save_pretrained`."""
        from leokit.inference.pretrained import save_pretrained
        save_pretrained(self, save_directory, **options)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload to the Hugging Face Hub; see :func:`leokit.inference.pretrained.push_to_hub`."""
        from leokit.inference.pretrained import push_to_hub
        return push_to_hub(self, repo_id, **options)
