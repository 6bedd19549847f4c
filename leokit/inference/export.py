"""Export of trained models to ONNX and to ``torch.export``, to run without leokit.

The folder gets one file for each part (:mod:`leokit.inference.export_modules`), and ``export.json``: inputs and outputs
with their shapes, what images and sequences the models take, and for the denoiser the noise schedule and sampling
times. Every file is loaded and run again, and its outputs are compared with the model's. The files get their names
together, so a folder never holds parts of two models.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from leokit.inference.export_modules import ExportedDecoder, ExportedDenoiser, ExportedEncoder, Interface
from leokit.inference.leo import LEO
from leokit.models import Animator, MotionDiffusion
from leokit.utils import UserError, progress_bar
from leokit.utils.files import clear_write_errors, make_folder, part_path, remove, remove_empty, write_json
from leokit.version import __version__

FORMATS = dict(onnx='.onnx', torch='.pt2')
PARTS = ('encoder', 'decoder', 'denoiser')
DESCRIPTION = 'export.json'
OPSET = 18  # of ONNX; grid_sample is in 16, group normalization in 18
TOLERANCE = 1e-3  # root mean square difference, in standard deviations of the output


class Exported(NamedTuple):
    """An exported part: its file, and the largest difference of its outputs from the model's."""

    part: str
    file: Path
    max_difference: float


def export_models(model: nn.Module | LEO, folder: str | Path, *, file_format: str = 'onnx',
                  parts: Sequence[str] | None = None, progress: bool = False) -> list[Exported]:
    """Export the encoder and decoder of an animator, the denoiser of a motion diffusion, or all of them.

    Args:
        model (nn.Module | LEO): A trained model on the CPU.
        folder (str | Path): The folder to write to.
        file_format (str): ``'onnx'`` or ``'torch'``.
        parts (Sequence[str], optional): Of ``'encoder'``, ``'decoder'``, ``'denoiser'``; those that the model has by
            default.
        progress (bool): Show a progress bar.

    Raises:
        UserError: The exported part computes something else than the model, or the folder holds other parts of an
            earlier export.
    """
    if file_format not in FORMATS:
        raise UserError(f'format={file_format!r} is unknown; use {", ".join(FORMATS)}')
    run = _onnx_runner() if file_format == 'onnx' else _torch_runner
    modules = _modules(model, parts)
    folder, done = Path(folder), []
    files = {part: folder / f'{part}{FORMATS[file_format]}' for part in modules}
    _check_folder(folder, files.values())
    description: dict[str, Any] = dict(leokit_version=__version__, format=file_format, parts={})
    with clear_write_errors(folder), progress_bar(len(modules), 'exporting', unit='part', show=progress) as bar:
        made = make_folder(folder)
        try:
            for part, module in modules.items():
                unfinished = part_path(files[part])
                _write(module, unfinished, file_format)
                done.append(Exported(part, files[part], _compare(module, run(unfinished, module.interface), part)))
                description['parts'][part] = dict(file=files[part].name, **_tensors(module))
                bar.update()
            description.update(_facts(model, modules))
            remove(folder / DESCRIPTION)  # of an earlier export; nothing describes a mixture
            for file in files.values():
                part_path(file).replace(file)
            write_json(folder / DESCRIPTION, description)
        finally:
            for file in files.values():
                remove(part_path(file))
            remove_empty(made)
    return done


def _check_folder(folder: Path, files: Iterable[Path]) -> None:
    """Raise if the folder holds parts that would no longer be described."""
    others = {folder / f'{part}{ending}' for part in PARTS for ending in FORMATS.values()}.difference(files)
    left = sorted(str(file) for file in others if file.exists())
    if left:
        raise UserError(f'{left[0]} is of another export, which {DESCRIPTION} would not describe any more; choose '
                        'another folder, or export all parts in one command')


def _modules(model: nn.Module | LEO, parts: Sequence[str] | None) -> dict[str, nn.Module]:
    animator = model.animator if isinstance(model, LEO) else model
    motion = model.motion_diffusion if isinstance(model, LEO) else model
    known: dict[str, Callable[[], nn.Module]] = {}
    if isinstance(animator, Animator):
        known.update(encoder=lambda: ExportedEncoder(animator), decoder=lambda: ExportedDecoder(animator))
    if isinstance(motion, MotionDiffusion):
        known['denoiser'] = lambda: ExportedDenoiser(motion)
    missing = [part for part in parts or () if part not in known]
    if missing or not known:
        raise UserError(f'{type(model).__name__} has no {missing[0] if missing else "part that is exported"}; '
                        f'{"its parts are " + ", ".join(known) if known else "pass an animator or a motion diffusion"}')
    return {part: known[part]().eval() for part in PARTS if part in (parts or known)}


def _write(module: nn.Module, file: Path, file_format: str) -> None:
    interface: Interface = module.interface
    example = module.example()
    shapes = [dict.fromkeys(interface.dynamic[name], torch.export.Dim.DYNAMIC) if name in interface.dynamic else None
              for name in interface.inputs]
    if isinstance(module, ExportedDecoder):  # its last argument collects the features
        shapes = [*shapes[:2], tuple(shapes[2:])]
    with torch.no_grad(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter('ignore')  # of the exporters, about their own internals
        program = torch.export.export(module, example, dynamic_shapes=tuple(shapes))
        if file_format == 'torch':
            torch.export.save(program, file)
            return
        logging.getLogger('onnxscript').setLevel(logging.ERROR)
        torch.onnx.export(program, (), str(file), input_names=list(interface.inputs),
                          output_names=list(interface.outputs), opset_version=OPSET, dynamo=True, external_data=False)


def _onnx_runner() -> Callable[[Path, Interface], Callable[[Sequence[Tensor]], list[np.ndarray]]]:
    try:
        import onnx  # noqa: F401  the exporter needs it
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(f"exporting to ONNX needs {error.name}; install it with pip install 'leokit[export]', or pass "
                        '--format torch') from error

    def load(file: Path, interface: Interface) -> Callable[[Sequence[Tensor]], list[np.ndarray]]:
        session = onnxruntime.InferenceSession(str(file), providers=['CPUExecutionProvider'])
        return lambda inputs: session.run(list(interface.outputs), {
            name: tensor.numpy() for name, tensor in zip(interface.inputs, inputs)})
    return load


def _torch_runner(file: Path, interface: Interface) -> Callable[[Sequence[Tensor]], list[np.ndarray]]:
    program = torch.export.load(file).module()

    def run(inputs: Sequence[Tensor]) -> list[np.ndarray]:
        with torch.no_grad():
            found = program(*inputs)
        return [tensor.numpy() for tensor in (found if isinstance(found, tuple) else (found,))]
    return run


@torch.no_grad()
def _compare(module: nn.Module, run: Callable[[Sequence[Tensor]], list[np.ndarray]], part: str) -> float:
    """The largest difference over the outputs, for the traced batch, for one sample and for another batch."""
    interface, largest = module.interface, 0.0
    for indices in ([0, 1], [0], [1, 0, 1, 1, 0]):
        inputs = [tensor[indices].contiguous() if name in interface.dynamic else tensor
                  for name, tensor in zip(interface.inputs, module.example())]
        expected = module(*inputs)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for name, found, wanted in zip(interface.outputs, run(inputs), expected):
            wanted = wanted.numpy()
            error = np.abs(found - wanted) if found.shape == wanted.shape else np.full(1, np.inf)
            if not np.sqrt(np.mean(error**2)) <= TOLERANCE * (wanted.std() or 1.0):
                raise UserError(f'the exported {part} computes another {name} than the model (difference '
                                f'{error.max():.2g}), so it was not written; export with another version of torch')
            largest = max(largest, float(error.max()))
    return largest


@torch.no_grad()
def _tensors(module: nn.Module) -> dict[str, Any]:
    interface, inputs = module.interface, module.example()
    outputs = module(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)

    def describe(names: Sequence[str], tensors: Sequence[Tensor], dynamic: Callable[[str], bool]) -> list[dict]:
        return [dict(name=name, dtype=str(tensor.dtype).removeprefix('torch.'),
                     shape=['batch' if dynamic(name) else tensor.shape[0], *tensor.shape[1:]])
                for name, tensor in zip(names, tensors)]
    return dict(inputs=describe(interface.inputs, inputs, interface.dynamic.__contains__),
                outputs=describe(interface.outputs, outputs, lambda name: True))


def _facts(model: nn.Module | LEO, modules: dict[str, nn.Module]) -> dict[str, Any]:
    animator = model.animator if isinstance(model, LEO) else model
    facts: dict[str, Any] = {}
    if isinstance(animator, Animator):
        facts['images'] = dict(size=animator.size, crop=animator.crop, face_crop=animator.face_crop, color='RGB',
                               value_range=[-1, 1], transfer_mode=animator.transfer_mode)
    if 'denoiser' in modules:
        motion = modules['denoiser'].model
        scheduler, sampler = motion.diffusion.scheduler, motion.diffusion.sampler
        times = torch.arange(scheduler.num_train_timesteps)
        facts['sequences'] = dict(
            num_frames=motion.num_frames, fps=motion.fps, mean=motion.normalizer.mean.tolist(),
            unit=motion.normalizer.unit().tolist(), sampler=type(sampler).__name__,
            # pairs of times, from noise to data (-1); levels by time: noisy = sqrt(signal) clean + sqrt(noise) noise
            steps=[list(pair) for pair in sampler.steps(scheduler)],
            signal_level=scheduler.signal_level(times).tolist(), noise_level=scheduler.noise_level(times).tolist())
    return facts
