"""Stage 1: the animator (LIA, ICLR 2022; LEO, arXiv 2305.03989, section 3.1).

A frame is x = T(x_1, G(α)): encoder E, motion space, flow generator G and warp operator T are components chosen in a
config; this class assembles them.

Training is self-supervised reconstruction of a driving frame from a source frame. Generator and discriminator take
their step from one backward pass over one loss dict (:mod:`leokit.models.adversary`). LIA alternates two passes and
therefore generates the fake twice; this deviation saves one generator pass and needs no special DDP or optimizer
wrapper.
"""

from typing import Any, Callable, NamedTuple

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import avg_pool2d

from leokit.encoders import Encoding
from leokit.flow_generators import FlowFrame
from leokit.losses.perceptual_loss import shared_networks
from leokit.models.adversary import Adversary, adversarial_parts, current_iteration
from leokit.models.base_model import TrainableModel
from leokit.models.contracts import check_encoding, check_latent, check_rendered
from leokit.motion_spaces import relative_motion
from leokit.models.pretrained import Pretrained
from leokit.nn.face_crops import FaceCrops
from leokit.nn.face_regions import REGION_KEYS
from leokit.nn.named_modules import NamedModules
from leokit.registry import ENCODERS, FLOW_GENERATORS, LOSSES, MODELS, MOTION_SPACES
from leokit.utils import UserError, check_shape
from leokit.utils.checks import check_width
from leokit.utils.cuda_graphs import GraphedScalar
from leokit.utils.hashing import animator_hash
from leokit.utils.same_animator import CodeOrigin, named_model

LOSS_READS = ('frames', 'driving')  # arguments of a loss without the attribute ``reads``, see leokit.losses


class Animation(NamedTuple):
    """Rendered frames; T is absent if the motion was one code per image.

    Attributes:
        frames (Tensor): Shape (B[, T], 3, H, W), about [-1, 1], not clipped.
        flows (tuple[Tensor, ...]): Normalized sampling offsets, x first, coarse to fine, (B[, T], 2, s, s).
        masks (tuple[Tensor, ...]): Weight of the warped source, coarse to fine, (B[, T], 1, s, s) in (0, 1).
    """

    frames: Tensor
    flows: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]


@MODELS.register_module()
class Animator(Pretrained, TrainableModel):
    """Encoder, motion space and flow generator, with their training objective.

    Args:
        size (int): Image resolution, a power of two from 32 to 1024.
        appearance_dim (int): Width D of the appearance vector.
        motion_dim (int): Width N of the motion code.
        channel_multiplier (float): Factor on the channels of resolutions 64 and above.
        max_channels (int): Upper limit of the channels.
        encoder (dict, optional): Config in ENCODERS; ``LIAEncoder`` by default.
        motion_space (dict, optional): Config in MOTION_SPACES; ``LinearMotionSpace`` by default.
        flow_generator (dict, optional): Config in FLOW_GENERATORS; ``LIAFlowGenerator`` by default.
        training (dict, optional): ``losses`` (list of configs in LOSSES), and for adversarial training
            ``discriminator`` (config in DISCRIMINATORS), ``adversarial`` and ``r1`` (configs in LOSSES);
            ``discriminator_scale`` 2 shows it frames of half the resolution, which costs a quarter. The same three
            in ``face_crops`` are for a discriminator of crops, with ``parts`` and ``size`` of
            :class:`~leokit.nn.face_crops.FaceCrops`; their losses are logged with the suffix ``_crops``.
        data_preprocessor (dict, optional): Config in MODELS; ``PixelPreprocessor`` by default.

    Attributes:
        crop (str): How the training frames became square (:func:`~leokit.video.resize.fit_frames`); set when a
            checkpoint is loaded. Everything that is encoded must become square in the same way.
        face_crop (str | None): The crop around a face that the training data have, a convention of
            :mod:`leokit.croppers`; None if they have none. Also set when a checkpoint is loaded.
        transfer_mode (str): The motion transfer that the weights are meant for, ``'relative'`` or ``'absolute'``.
    """

    crop = 'center'
    face_crop: str | None = None
    transfer_mode = 'relative'
    supports_cuda_graph = True
    cuda_graph_by_default = False

    def __init__(self, size: int = 256, appearance_dim: int = 512, *, motion_dim: int = 20,
                 channel_multiplier: float = 1, max_channels: int = 512, encoder: dict | None = None,
                 motion_space: dict | None = None, flow_generator: dict | None = None,
                 training: dict | None = None, data_preprocessor: dict | None = None):
        super().__init__(data_preprocessor or dict(type='leokit.PixelPreprocessor'))
        check_width('appearance_dim', appearance_dim)
        check_width('motion_dim', motion_dim)
        self.size = size
        self.appearance_dim = appearance_dim
        self.motion_dim = motion_dim
        widths = dict(size=size, channel_multiplier=channel_multiplier, max_channels=max_channels)
        self.encoder = ENCODERS.build({
            **(encoder or dict(type='LIAEncoder')), **widths, 'appearance_dim': appearance_dim,
            'motion_dim': motion_dim})
        self.motion_space = MOTION_SPACES.build({
            **(motion_space or dict(type='LinearMotionSpace')), 'appearance_dim': appearance_dim,
            'motion_dim': motion_dim})
        self.flow_generator = FLOW_GENERATORS.build({
            **(flow_generator or dict(type='LIAFlowGenerator')), **widths, 'appearance_dim': appearance_dim})
        self._build_training(widths, **(training or {}))

    def _build_training(self, widths: dict, losses: list[dict] = (), discriminator: dict | None = None,
                        adversarial: dict | None = None, r1: dict | None = None, discriminator_scale: int = 1,
                        face_crops: dict | None = None) -> None:
        with shared_networks():
            self.losses = NamedModules((loss.name, loss) for loss in map(LOSSES.build, losses))
        for loss in self.losses:
            if getattr(loss, 'motion_dim', self.motion_dim) != self.motion_dim:
                raise ValueError(f'the loss {loss.name!r} in training.losses has motion_dim={loss.motion_dim}, the '
                                 f'animator {self.motion_dim}; set both to the same number')
        self._graphed: list[Module] = []  # the losses, once compiled
        if discriminator_scale < 1 or self.size % discriminator_scale:
            raise ValueError(f'training.discriminator_scale must divide the size {self.size}, got '
                             f'{discriminator_scale}')
        self.discriminator_scale = discriminator_scale
        self.discriminator, self.adversarial, self.r1 = adversarial_parts(
            dict(widths, size=self.size // discriminator_scale), 'training', discriminator, adversarial, r1)
        crops = dict(face_crops or {})
        networks = {key: crops.pop(key, None) for key in ('discriminator', 'adversarial', 'r1')}
        self.crop_view = FaceCrops(**crops) if face_crops else None
        if self.crop_view is not None:
            widths = dict(widths, size=self.crop_view.size)
        self.crop_discriminator, self.crop_adversarial, self.crop_r1 = adversarial_parts(
            widths, 'training.face_crops', *networks.values(), suffix='_crops')
        if face_crops and self.crop_discriminator is None:
            raise ValueError('training.face_crops needs a discriminator')
        penalties = [penalty for penalty in (self.r1, self.crop_r1) if penalty is not None]
        names = [loss.name for loss in (*self._weighted_losses(), *penalties)]
        taken = [name for name in names if names.count(name) > 1]
        if taken:  # one would replace the other in the sum
            raise ValueError(f'two losses have the name {taken[0]!r}; set name of one of them')

    # ---- inference -----------------------------------------------------------
    def encode(self, images: Tensor) -> Encoding:
        """Encode images (B, 3, size, size) in [-1, 1] to appearance (B, D), motion (B, N) and features."""
        encoding = self.encoder(images)
        check_encoding(self.encoder, encoding, images.shape[0], self.appearance_dim, self.motion_dim)
        return encoding

    def animate(self, encoding: Encoding, motion: Tensor, start: Tensor | None = None, *,
                to_latent: Callable[[Tensor, Tensor], Tensor] | None = None) -> Animation:
        """Render an encoded image in the given motion.

        Args:
            encoding (Encoding): The source images, B or one.
            motion (Tensor): Motion codes α, shape (B, N) for one frame or (B, T, N) for a sequence.
            start (Tensor, optional): Motion code of the driving video's first frame, shape (B, N) or (1, N). If
                given, the transfer is relative: the source's own code plus the motion since the start.
            to_latent (Callable, optional): The motion space as :func:`~leokit.motion_spaces.frozen` returns it, for
                many calls with the same weights; by default its directions are computed anew.

        Returns:
            Animation: Frames (B, 3, H, W) or (B, T, 3, H, W), with flows and masks.
        """
        check_shape('motion', motion, (None,) * (motion.ndim - 1) + (self.motion_dim,))
        if motion.ndim not in (2, 3):
            raise ValueError(f'motion must have shape (B, N) or (B, T, N), got {tuple(motion.shape)}')
        sources, batch = encoding.appearance.shape[0], motion.shape[0]
        if sources not in (1, batch):
            raise ValueError(f'motion has batch {batch}, which does not fit an encoding of batch {sources}')
        if start is not None:
            motion = relative_motion(motion, start, encoding.motion)
        latent = (to_latent or self.motion_space)(encoding.appearance, motion)  # (B[, T], D)
        check_latent(self.motion_space, latent, motion, self.appearance_dim)
        rendered: FlowFrame = self.flow_generator(rearrange(latent, '... d -> (...) d'), encoding.features)
        check_rendered(self.flow_generator, rendered, motion[..., 0].numel(), self.size)
        if motion.ndim == 2:
            return Animation(*rendered)

        def split(tensor: Tensor) -> Tensor:
            return rearrange(tensor, '(b t) ... -> b t ...', b=batch)

        return Animation(split(rendered.frames), tuple(map(split, rendered.flows)), tuple(map(split, rendered.masks)))

    def weights_hash(self) -> str:
        """SHA-256 of the weights that codes and frames depend on; identifies this animator in code caches."""
        return animator_hash(self.state_dict())

    @property
    def code_origin(self) -> CodeOrigin:
        """Whose motion codes the animator encodes and decodes: its own."""
        return CodeOrigin(named_model('the animator', self), self.weights_hash(), self.motion_dim)

    def compile_parts(self, **options: Any) -> None:
        """Compile encoder, flow generator and discriminator in place; state-dict keys stay as they are.

        Compiling the losses would take longest; on CUDA they are captured as graphs instead, but for those with weights
        of their own.

        Args:
            **options: Passed to ``torch.compile`` (``mode``, ``dynamic``, ...).
        """
        self.encoder.compile(**options)
        self.flow_generator.compile(**options)
        for discriminator in (self.discriminator, self.crop_discriminator):
            if discriminator is not None:
                # three calls per step, some with detached weights, do not fit a CUDA graph (option 'mode')
                discriminator.compile(**{key: value for key, value in options.items() if key != 'mode'})
        self._graphed = [loss if _is_trained(loss) else GraphedScalar(loss) for loss in self.losses]

    # ---- training and evaluation -----------------------------------------------
    def forward(self, inputs: dict[str, Tensor], data_samples: dict | None = None,
                mode: str = 'tensor') -> dict[str, Tensor] | list[dict] | Animation:
        """MMEngine's entry.

        Args:
            inputs (dict[str, Tensor]): ``source`` and ``driving``, shape (B, 3, size, size) in [-1, 1]; in training
                optionally ``motion_view``, ``regions`` and ``source_regions``, see :meth:`loss`.
            data_samples (dict, optional): Names of the samples, collated.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            dict | list[dict] | Animation: Named losses; one record per sample; or the animation itself.
        """
        if mode == 'loss':
            return self.loss(**inputs)
        if mode == 'predict':
            return self.predict(**inputs, data_samples=data_samples or {})
        if mode == 'tensor':
            return self.transfer(**inputs)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def transfer(self, source: Tensor, driving: Tensor) -> Animation:
        """Absolute transfer of one driving frame per source, (B, 3, size, size) each, encoded in one batch."""
        return self.animate(*self._encode_pairs(source, driving))

    def _encode_pairs(self, source: Tensor, driving: Tensor) -> tuple[Encoding, Tensor]:
        """The encoding of the source frames and the motion codes (B, N) of the driving frames, in one batch."""
        batch = source.shape[0]
        both = self.encode(torch.cat((source, driving)))
        encoding = Encoding(
            both.appearance[:batch], both.motion[:batch], tuple(feature[:batch] for feature in both.features))
        return encoding, both.motion[batch:]

    def loss(self, source: Tensor, driving: Tensor, motion_view: Tensor | None = None,
             regions: Tensor | None = None, source_regions: Tensor | None = None) -> dict[str, Tensor]:
        """Reconstruction, and with a discriminator adversarial, losses of one batch.

        Args:
            source (Tensor): Shape (B, 3, size, size) in [-1, 1].
            driving (Tensor): The frames to reconstruct, same shape.
            motion_view (Tensor, optional): The driving frames that the motion codes are taken from, e.g. with other
                colors; ``driving`` by default.
            regions (Tensor, optional): Regions of the driving faces, shape (B, R, 2, 3), for the losses that read them
                (:mod:`leokit.nn.face_regions`).
            source_regions (Tensor, optional): Those of the source faces, same shape.

        Returns:
            dict[str, Tensor]: Weighted scalars, whose sum is minimized.
        """
        if not len(self.losses):
            raise UserError('the animator was built without losses; to train it, add model.training.losses to the '
                            'config')
        adversaries = self._adversaries(regions)
        penalties = [adversary.gradient_penalty(driving) for adversary in adversaries]  # before others need memory
        encoding, motion = self._encode_pairs(source, driving if motion_view is None else motion_view)
        animation = self.animate(encoding, motion)
        fake, terms = animation.frames, {}
        known = dict(source=(source,), driving=(driving,), frames=(fake,), flows=animation.flows,
                     source_motion=(encoding.motion,), driving_motion=(motion,),
                     regions=(regions,), source_regions=(source_regions,))
        # within a graph of the whole step, losses have none of their own
        graphed = self._graphed if self.device_weights is None else []
        for loss, compute in zip(self.losses, graphed or self.losses):
            # not yet, see LossRampHook; but DistributedDataParallel waits for the gradients of all weights
            if not loss.weight and not _is_trained(loss):
                continue
            reads = getattr(loss, 'reads', LOSS_READS)
            for name in REGION_KEYS:
                if name in reads:
                    _check_regions(*known[name], f'the loss {loss.name!r}')
            seen = [tensor for name in reads for tensor in known[name]]
            terms[f'loss_{loss.name}'] = self._weight_of(loss) * compute(*seen)
        for found in (*(adversary.losses(fake, driving) for adversary in adversaries), *penalties):
            terms |= found
        return terms

    def _adversaries(self, regions: Tensor | None) -> list[Adversary]:
        found = []
        if self.discriminator is not None:
            found.append(Adversary(self.discriminator, self.adversarial, self.r1, 'discriminator',
                                   lambda images: _reduced(images, self.discriminator_scale),
                                   self._weight_of(self.adversarial)))
        if self.crop_discriminator is not None:
            _check_regions(regions, 'the discriminator of face crops')
            found.append(Adversary(self.crop_discriminator, self.crop_adversarial, self.crop_r1, 'discriminator_crops',
                                   lambda images: self.crop_view(images, regions),
                                   self._weight_of(self.crop_adversarial)))
        return found

    def _weight_of(self, loss: Module) -> float | Tensor:
        return loss.weight if self.device_weights is None else self.device_weights[loss.name]

    def _weighted_losses(self) -> list[Module]:
        return [*self.losses, *(loss for loss in (self.adversarial, self.crop_adversarial) if loss is not None)]

    def loss_weights(self) -> dict[str, float]:
        """The weights of all losses but the gradient penalties, by name."""
        return {loss.name: loss.weight for loss in self._weighted_losses()}

    def step_variant(self) -> tuple[bool, ...]:
        """Which losses have a weight, and which gradient penalties are due."""
        iteration = current_iteration()
        penalties = [penalty for penalty in (self.r1, self.crop_r1) if penalty is not None]
        return (*(bool(loss.weight) for loss in self._weighted_losses()),
                *(iteration is None or penalty.due(iteration) for penalty in penalties))

    def predict(self, source: Tensor, driving: Tensor, data_samples: dict) -> list[dict]:
        """Reconstruct driving frames.

        Args:
            source (Tensor): Shape (B, 3, size, size) in [-1, 1].
            driving (Tensor): Same shape.
            data_samples (dict): Collated names, which are added to the records.

        Returns:
            list[dict]: Per sample ``source``, ``driving``, ``reconstruction`` (3, H, W), ``flow`` (2, H, W),
            ``mask`` (1, H, W), and the names.
        """
        animation = self.transfer(source, driving)
        columns = dict(source=source, driving=driving, reconstruction=animation.frames.float(),
                       flow=animation.flows[-1], mask=animation.masks[-1], **data_samples)
        return [dict(zip(columns, row)) for row in zip(*columns.values())]


def _reduced(images: Tensor, scale: int) -> Tensor:
    return images if scale == 1 else avg_pool2d(images, scale)


def _is_trained(loss: Module) -> bool:
    """Whether a loss has weights of its own, which a captured graph would not train."""
    return any(weight.requires_grad for weight in loss.parameters())


def _check_regions(regions: Tensor | None, reader: str) -> None:
    if regions is None:
        raise UserError(f'{reader} needs regions of the faces; write them with `leokit data regions` and set '
                        'train_dataloader.dataset.regions to the file')
