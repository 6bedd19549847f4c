"""The options that several commands share: one name, one meaning, one help text.

Nothing here imports torch, so that ``--help`` answers at once. The literal choices and defaults below repeat constants
of the package; ``tests/cli/test_options.py`` compares them.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leokit.cli.argument_types import (
    finite_float, fraction, frame_rate, output_file, output_folder, output_image, output_video, png_file, positive_int,
    shard)
from leokit.cli.imports import import_libraries

CROPS = ('center', 'none')
LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')
OUTPUT_FORMATS = ('mp4', 'gif', 'npy', 'frames')
SPLITS = ('train', 'val', 'test')
ENCODERS = ('libx264', 'h264_nvenc', 'h264_qsv', 'h264_amf', 'h264_videotoolbox', 'h264_vaapi')
TRANSFER_MODES = ('relative', 'absolute')
CHUNK_SIZE = 32
DEFAULT_FPS = 25.0
SPLIT_FRACTIONS = (0.9, 0.05, 0.05)


class _KeyValues(argparse.Action):
    """``KEY=VALUE ...`` into a dict of texts; see ``leokit/utils/option_text.py`` for how they are read."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Sequence[Any],
                 option_string: str | None = None) -> None:
        import_libraries()  # as a command does; not at the top: --help does without them
        from leokit.utils.option_text import OptionText
        texts = dict(getattr(namespace, self.dest) or {})
        for value in values:
            key, equals, text = value.partition('=')
            if not (key and equals):
                raise argparse.ArgumentError(self, f'{value!r} is not of the form key=value')
            texts[key] = OptionText(text)
        words = f'{self.dest}_words'  # as typed, for commands that start others
        setattr(namespace, words, [*getattr(namespace, words, []), *values])
        setattr(namespace, self.dest, texts)


OPTIONS: dict[str, dict[str, Any]] = {
    # inputs
    '--image': dict(metavar='IMAGE', help='input image'),
    '--video': dict(metavar='VIDEO', help='input video, a file or a folder of frames'),
    '--videos': dict(metavar='DIR', help='folder of videos or of frame folders, or a manifest of them'),
    '--source': dict(metavar='IMAGE', help='source image, whose identity and appearance the output shows'),
    '--driving': dict(metavar='VIDEO',
                      help='driving video, a file or a folder of frames, whose motion the output follows; or a file of '
                           'its motion codes (.npz), or an image, whose pose is taken over'),
    '--codes': dict(metavar='DIR', help='code cache: the motion codes that leokit extract wrote'),
    '--ground-truth': dict(metavar='DIR', help='SyntheticFaces dataset, for its ground-truth parameters'),
    '--animator-config': dict(metavar='CONFIG', help="the animator's config"),
    '--animator-checkpoint': dict(metavar='CHECKPOINT', help="the animator's checkpoint or work dir"),
    '--motion-diffusion-config': dict(metavar='CONFIG', help="the motion diffusion's config"),
    '--motion-diffusion-checkpoint': dict(metavar='CHECKPOINT', help="the motion diffusion's checkpoint or work dir"),
    # data
    '--split': dict(metavar='NAME', help='split of the data to use'),
    '--fit-split': dict(metavar='NAME', default='train', help='split that the linear readout is fitted on'),
    '--score-split': dict(metavar='NAME', default='test', help='split that is scored'),
    '--split-fractions': dict(type=float, nargs=3, metavar=('TRAIN', 'VAL', 'TEST'), default=SPLIT_FRACTIONS,
                              help='fractions of the identities in each split'),
    '--crop': dict(choices=CROPS, help="how frames become square: 'center' crops, 'none' squeezes"),
    '--size': dict(type=positive_int, metavar='PIXELS', help='width and height of the square images'),
    '--extractor': dict(metavar='TYPE', help='feature extractor'),
    # generation
    '--num-frames': dict(type=positive_int, metavar='N', help='frames per video'),
    '--num-sequences': dict(type=positive_int, metavar='N', help='number of sequences'),
    '--mode': dict(choices=TRANSFER_MODES, default='relative',
                   help="'relative' adds the driving motion since its start frame to the source's pose; "
                        "'absolute' takes over the driving pose"),
    '--num-inference-steps': dict(type=positive_int, metavar='N', help='denoising steps of the motion diffusion'),
    '--sampler': dict(metavar='TYPE', help='sampler of the motion, such as DPMSolverPlusPlusSampler'),
    '--eta': dict(type=fraction, help='noise added in each DDIM step, 0 (deterministic) to 1 (as in DDPM)'),
    '--guidance-scale': dict(type=finite_float, metavar='SCALE',
                             help='classifier-free guidance scale of the starting frames'),
    '--control': dict(metavar='FILE', help='control of each frame, for a motion diffusion with a control encoder: an '
                                           'array (frames, channels), .npy, or a control file of one video, .npz'),
    '--control-scale': dict(type=finite_float, metavar='SCALE', help='classifier-free guidance scale of the control'),
    '--seed': dict(type=int, default=0, help='random seed'),
    # outputs
    '--format': dict(help='output format'),
    '--fps': dict(type=frame_rate, help='frame rate of the output; videos are resampled to it by time'),
    '--sheet': dict(type=png_file, metavar='FILE.png', help='also draw a sheet of examples'),
    # computation
    '--device': dict(metavar='DEVICE', help='cpu, cuda, cuda:1, ...', unset='cuda if there is a GPU, else cpu'),
    '--amp': dict(action='store_true', help='compute in bfloat16 mixed precision'),
    '--compile': dict(action='store_true', help='compile the heavy parts of the model with torch.compile'),
    '--encoder': dict(choices=ENCODERS, default=ENCODERS[0],
                      help='H.264 encoder of .mp4, .mov and .mkv; all but the first one need hardware'),
    '--batch-size': dict(type=positive_int, metavar='N', help='batch size'),
    '--chunk-size': dict(type=positive_int, metavar='N', default=CHUNK_SIZE, help='frames decoded at a time'),
    '--workers': dict(type=positive_int, metavar='N', help='number of parallel workers'),
    '--shard': dict(type=shard, metavar='NUMBER/COUNT', help='process this part only, e.g. 1/8 to 8/8 in a job array'),
    '--launcher': dict(choices=LAUNCHERS, default='none', help='launcher of a distributed job'),
    # configuration
    '--cfg-options': dict(nargs='+', action=_KeyValues, metavar='KEY=VALUE',
                          help='override keys of the config, e.g. data_root=/videos train_dataloader.batch_size=16 '
                               '"steps=[1,2]"'),
    '--work-dir': dict(metavar='DIR', help='folder for logs, checkpoints and results'),
    '--resume': dict(nargs='?', const='auto', metavar='CHECKPOINT',
                     help='resume from this checkpoint or work dir; without a value, from the newest checkpoint in the '
                          'work dir, if there is one'),
}

OUTPUTS: dict[str, dict[str, Any]] = {
    'folder': dict(type=output_folder, metavar='DIR', help='output folder'),
    'video': dict(type=output_video, metavar='FILE',
                  help='output video: .mp4, .gif, .npy, or no suffix for a folder of PNG files'),
    'image': dict(type=output_image, metavar='FILE',
                  help='output video: .mp4, .gif, .npy, or no suffix for a folder of PNG files'),
    'png': dict(type=png_file, metavar='FILE.png', help='output image'),
    'json': dict(type=output_file, metavar='FILE.json', help='write the results to this file'),
    'file': dict(type=output_file, metavar='FILE', help='output file'),
}


def add(parser: Any, *flags: str, role: str = '', unset: str = '', **settings: Any) -> None:
    """Add shared options to a command.

    Args:
        parser (ArgumentParser): The command's parser, or a group of it.
        *flags (str): Keys of :data:`OPTIONS`.
        role (str): What the option is in this command, added to the help text in parentheses.
        unset (str): What holds if the option is left out, for the help text; not needed if there is a default value.
        **settings: Of :meth:`argparse.ArgumentParser.add_argument`, such as ``nargs`` or ``default``.
    """
    for flag in flags:
        _add(parser, flag, {**OPTIONS[flag], **settings}, role, unset)


def add_out(parser: Any, kind: str, *, role: str = '', unset: str = '', **settings: Any) -> None:
    """Add ``--out``; ``kind`` is a key of :data:`OUTPUTS`, the rest as in :func:`add`."""
    _add(parser, '--out', {**OUTPUTS[kind], **settings}, role, unset)


def add_config(parser: Any, kind: str, example: str, *, trained: bool = True) -> None:
    """Add the positional argument CONFIG.

    Args:
        parser (ArgumentParser): The command's parser.
        kind (str): What the config describes.
        example (str): Name of a shipped config.
        trained (bool): Trained models can take the place of a config.
    """
    models = '; or a trained model: a name (leokit zoo list), a model folder, or hf://USER/NAME' if trained else ''
    parser.add_argument('config', metavar='CONFIG',
                        help=f'config of {kind}: a file, or the name of a shipped one, e.g. {example}{models}')


def add_checkpoint(parser: Any, *, required: bool = True) -> None:
    """Add the positional argument CHECKPOINT; not required where a config of LEO names the checkpoints."""
    note = '' if required else '; leave it out for a trained model, and for a config of LEO, which names checkpoints'
    parser.add_argument('checkpoint', metavar='CHECKPOINT', nargs=None if required else '?',
                        help=f'checkpoint file, a work dir for its newest checkpoint, or a trained model{note}')


def add_key_values(parser: Any, flag: str, explanation: str) -> None:
    """Add an option that takes ``KEY=VALUE ...``, read into a dict, or None if it is left out."""
    parser.add_argument(flag, nargs='+', action=_KeyValues, metavar='KEY=VALUE', help=explanation)


def choose_work_dir(args: argparse.Namespace, config: Any) -> str:
    """``--work-dir``; by default CONFIG if it is a work dir, the one that the config names, or one named after it."""
    from leokit.utils.model_folder import find_model  # not at the top: --help does without it
    if args.work_dir:
        return args.work_dir
    if Path(args.config).is_dir() and find_model(args.config) is None:
        return args.config
    return config.get('work_dir') or f'work_dirs/{Path(args.config).stem}'


def choose_device(name: str | None) -> str:
    """The device of ``--device``, which must exist, by default the GPU if there is one."""
    import torch  # not at the top: --help does without it

    from leokit.utils.devices import check_device
    if name is None:
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    check_device(name)
    return name


def _add(parser: Any, flag: str, settings: dict[str, Any], role: str, unset: str) -> None:
    default = settings.get('default')
    usual = settings.pop('unset', '')
    unset = unset or usual
    if isinstance(default, (list, tuple)):
        unset = ' '.join(map(str, default))
    elif default is not None:
        unset = '%(default)s'
    notes = '; '.join([role] * bool(role) + [f'default: {unset}'] * bool(unset))
    parser.add_argument(flag, help=settings.pop('help') + (f' ({notes})' if notes else ''), **settings)
