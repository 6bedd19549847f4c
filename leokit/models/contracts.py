"""Checks of what the components of a model return: a plug-in that breaks its contract gets one sentence."""

from inspect import signature

from torch import Tensor, nn

from leokit.encoders import Encoding
from leokit.flow_generators import FlowFrame
from leokit.utils import UserError


def check_encoding(encoder: nn.Module, encoding: Encoding, batch: int, appearance_dim: int, motion_dim: int) -> None:
    """Raise unless an encoder returned an :class:`~leokit.encoders.Encoding` of ``batch`` images."""
    name = f'the encoder {type(encoder).__name__}'
    if not isinstance(encoding, Encoding):
        raise UserError(f'{name} must return an Encoding, got {type(encoding).__name__}')
    for key, width in (('appearance', appearance_dim), ('motion', motion_dim)):
        if tuple(getattr(encoding, key).shape) != (batch, width):
            raise UserError(f'{name} must return {key} of shape {(batch, width)}, got '
                            f'{tuple(getattr(encoding, key).shape)}')
    shapes = [tuple(feature.shape) for feature in encoding.features]
    sizes = [shape[-2:] for shape in shapes]
    if any(len(shape) != 4 or shape[0] != batch for shape in shapes) or sizes != sorted(set(sizes)):
        raise UserError(f'{name} must return features of shape ({batch}, C, s, s), one for each resolution, coarse to '
                        f'fine, got {shapes}')


def check_latent(motion_space: nn.Module, latent: Tensor, motion: Tensor, appearance_dim: int) -> None:
    """Raise unless a motion space returned latents (B[, T], D) for codes (B[, T], N)."""
    wanted = (*motion.shape[:-1], appearance_dim)
    if tuple(latent.shape) != wanted:
        raise UserError(f'the motion space {type(motion_space).__name__} must return latents of shape {wanted}, got '
                        f'{tuple(latent.shape)}')


def check_rendered(flow_generator: nn.Module, rendered: FlowFrame, count: int, size: int) -> None:
    """Raise unless a flow generator returned a :class:`~leokit.flow_generators.FlowFrame` of ``count`` frames."""
    name = f'the flow generator {type(flow_generator).__name__}'
    if not isinstance(rendered, tuple) or len(rendered) != len(FlowFrame._fields):
        raise UserError(f'{name} must return a FlowFrame, got {type(rendered).__name__}')
    frames, flows, masks = rendered
    if tuple(frames.shape) != (count, 3, size, size):
        raise UserError(f'{name} must return frames of shape {(count, 3, size, size)}, got {tuple(frames.shape)}')
    shapes = [[tuple(tensor.shape) for tensor in part] for part in (flows, masks)]
    channels = [[shape[:2] for shape in part] for part in shapes]
    if not flows or channels != [[(count, 2)] * len(flows), [(count, 1)] * len(flows)]:
        raise UserError(f'{name} must return a flow ({count}, 2, s, s) and a mask ({count}, 1, s, s) for each '
                        f'resolution, coarse to fine, got {shapes[0]} and {shapes[1]}')


def check_prediction(output: Tensor, noisy: Tensor) -> None:
    """Raise unless a diffusion backbone returned a tensor like its input."""
    if not isinstance(output, Tensor) or output.shape != noisy.shape:
        got = f'shape {tuple(output.shape)}' if isinstance(output, Tensor) else f'a {type(output).__name__}'
        raise UserError(f'the diffusion backbone must return a tensor of the shape of its input, '
                        f'{tuple(noisy.shape)}, got {got}')


def check_takes_mask(backbone: nn.Module) -> None:
    """Raise unless a diffusion backbone can be given padded sequences."""
    if 'mask' not in signature(backbone.forward).parameters:
        raise UserError(f'the diffusion backbone {type(backbone).__name__} takes no mask, so sequences of several '
                        'lengths cannot be in one batch; add the argument mask to its forward, or give sequences of '
                        'one length')
