"""Cached values of real clips, which are the same in every validation."""

from typing import Any, Callable, Iterable, Mapping, Sequence

from leokit.utils.errors import UserError


class RealClipCache:
    """One value per clip; the key is the name of its video and its first frame.

    Values stay in memory for the lifetime of the cache, so they should be small and on the CPU.

    Args:
        enabled (bool): False computes the values every time.
    """

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self._values: dict[tuple[str, int], Any] = {}

    def get_or_compute(self, clips: Sequence[Mapping[str, Any]], compute: Callable[[], Iterable[Any]]) -> list[Any]:
        """The values of a batch of clips.

        Args:
            clips (Sequence[Mapping]): Clips with ``name`` and ``start``.
            compute (Callable): Returns the values of the whole batch; called only if one of them is not cached.
        """
        if not self.enabled:
            return list(compute())
        if not all('name' in clip and 'start' in clip for clip in clips):
            raise UserError('real clips are cached by their name and start, and these clips have none; set '
                            'cache_real=False, or use the clips of a ClipDataset')
        keys = [(clip['name'], int(clip['start'])) for clip in clips]
        if not all(key in self._values for key in keys):
            self._values.update(zip(keys, compute(), strict=True))
        return [self._values[key] for key in keys]
