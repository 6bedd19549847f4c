"""What is known of clips that come again: real clips are the same in every validation."""

from typing import Any, Callable, Iterable, Mapping, Sequence

from leokit.utils.errors import UserError


class ClipMemory:
    """Remembers one value for each clip; a clip is known by the name of its video and its first frame.

    Values belong on the CPU and should be small: they stay as long as the memory does.

    Args:
        enabled (bool): False computes every time.
    """

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self._values: dict[tuple[str, int], Any] = {}

    def recall(self, clips: Sequence[Mapping[str, Any]], compute: Callable[[], Iterable[Any]]) -> list[Any]:
        """The values of a batch of clips.

        Args:
            clips (Sequence[Mapping]): Each with ``name`` and ``start``.
            compute (Callable): Gives the values of all of them; only called if one is not known yet.

        Returns:
            list: One value for each clip.

        Raises:
            UserError: If a clip does not say its name and start.
        """
        if not self.enabled:
            return list(compute())
        if not all('name' in clip and 'start' in clip for clip in clips):
            raise UserError('real clips can be remembered only if they say name and start; set remember_real=False, or '
                            'take the clips from a ClipDataset')
        keys = [(clip['name'], int(clip['start'])) for clip in clips]
        if not all(key in self._values for key in keys):
            self._values.update(zip(keys, compute(), strict=True))
        return [self._values[key] for key in keys]
