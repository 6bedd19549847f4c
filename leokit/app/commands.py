"""The command lines that do what the tabs do."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from leokit.app.models import AppModels


class CommandLines:
    """Writes command lines for the models of the page.

    Uploaded files appear under the names that they had, as if they lay in the current folder.

    Args:
        models (AppModels): The models of the page.
    """

    def __init__(self, models: AppModels) -> None:
        self._models = models

    def animate(self, source: str | None, driving: str | None, *, mode: str = 'relative', start_frame: str = 'auto',
                motion_scale: float = 1.0, smooth_seconds: float = 0.0, crop: str = 'auto') -> str:
        """The command of the tab Animate; files that are not chosen yet have example names."""
        words: list[object] = ['--mode', mode, '--start-frame', start_frame]
        if motion_scale != 1:
            words += ['--motion-scale', f'{motion_scale:g}']
        if smooth_seconds:
            words += ['--smooth', f'{smooth_seconds:g}']
        if crop != 'auto':
            words += ['--crop', crop]
        return self._animator('animate', '--source', _name(source, 'portrait.png'), '--driving',
                              _name(driving, 'driving.mp4'), *words, '--out', 'animated.mp4')

    def generate(self, image: str | None, *, num_frames: int, num_sequences: int, seed: int, steps: int) -> str:
        """The command of the tab Generate."""
        return self._generator('--image', _name(image, 'portrait.png'), *_generation(num_frames, seed, steps),
                               '--num-sequences', num_sequences)

    def long(self, image: str | None, video: str | None, *, num_frames: int, seed: int, steps: int) -> str:
        """The command of the tab Long: from an image, or following a video."""
        start = ('--continue', _name(video, 'talk.mp4')) if video else ('--image', _name(image, 'portrait.png'))
        return self._generator(*start, *_generation(num_frames, seed, steps))

    def unconditional(self, *, count: int, num_frames: int, seed: int, guidance_scale: float) -> str:
        """The command of the tab Unconditional."""
        return self._generator('--unconditional', count, *_generation(num_frames, seed),
                               '--guidance-scale', f'{guidance_scale:g}')

    def edit(self, video: str | None, *, edited: str | None = None, editor: str = '',
             editor_options: Mapping[str, object] | None = None) -> str:
        """The command of the tab Edit: with an edited first frame, or with an editor and its options."""
        words: list[object] = ['--video', _name(video, 'talk.mp4')]
        if editor:
            words += ['--editor', editor, '--editor-options', *(f'{key}={value}' for key, value in
                                                                (editor_options or {}).items())]
        else:
            words += ['--edited', _name(edited, 'first_frame_edited.png')]
        return self._animator('edit', *words, '--out', 'edited.mp4')

    def manipulate(self, file: str | None, offsets: Mapping[str, float], *, is_video: bool = False) -> str:
        """The command of the tab Manipulate, for an image or a video."""
        kind, name, out = ('--video', 'talk.mp4', 'manipulated.mp4') if is_video else \
            ('--image', 'portrait.png', 'manipulated.png')
        applied = [f'{direction}={amount:g}' for direction, amount in offsets.items() if amount] or ['0=0']
        return self._animator('manipulate', kind, _name(file, name), '--apply', *applied, '--out', out)

    def compare(self, left: str | None, right: str | None) -> str:
        """The command of the tab Compare."""
        return _join('compare', _name(left, 'left.mp4'), _name(right, 'right.mp4'), '--out', 'compared.mp4')

    def _animator(self, command: str, *words: object) -> str:
        return _join(command, *self._models.animator_words, *words, *self._models.option_words)

    def _generator(self, *words: object) -> str:
        return _join('generate', *self._models.generator_words, *words, '--out', 'generated',
                     *self._models.option_words)


def _join(*words: object) -> str:
    return shlex.join(['leokit', *map(str, words)])


def _name(path: str | None, default: str) -> str:
    return Path(path).name if path else default


def _generation(num_frames: int, seed: int, steps: int | None = None) -> list[object]:
    return ['--num-frames', num_frames, '--seed', seed, *(['--num-inference-steps', steps] if steps else [])]
