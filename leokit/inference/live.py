"""One frame at a time: a portrait follows a camera.

::

    session = LiveAnimator(leo, 'portrait.png')
    for frame in camera:            # arrays uint8 (H, W, 3), RGB
        show(session(frame))        # uint8 (S, S, 3), RGB

On CUDA encoder and generator are one CUDA graph each, because a single frame takes longer to launch than to compute.
With ``compile`` the kernels within the graphs are fused, which takes a minute the first time on a machine. In mixed
precision on CUDA, LIA's networks have fused kernels of their own and are not compiled.
"""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from leokit.croppers.paste import FEATHER
from leokit.encoders import Encoding
from leokit.inference.camera_face import CameraFace
from leokit.inference.compilation import use_compile_cache
from leokit.inference.face_cropper import FaceCropper
from leokit.inference.frame_decoder import frame_decoder
from leokit.inference.frame_encoder import frame_encoder
from leokit.inference.leo import LEO
from leokit.inference.motion_transfer import check_transfer_mode
from leokit.inference.paste_back import MAX_SIDE, image_paster
from leokit.inference.rendering import encode
from leokit.inference.smoothing import OneEuroFilter
from leokit.models import Animator
from leokit.motion_spaces import frozen
from leokit.utils import UserError
from leokit.utils.graphed_function import GraphedFunction
from leokit.utils.modules import device_of
from leokit.utils.pixels import check_no_nan, round_to_uint8
from leokit.video import ImageInput, read_images
from leokit.video.resize import fit_to_tensor
from leokit.video.video_input import frame_to_rgb


class LiveAnimator:
    """Animates an image with frames that come one by one; a call returns as soon as its frame is rendered.

    Relative transfer takes the first frame as reference, and :meth:`reset` the next one.

    Args:
        model (Animator | LEO): A trained animator, or LEO for its animator.
        source (ImageInput): The image to animate.
        mode (str, optional): ``'relative'`` or ``'absolute'``; see :meth:`VideoAnimator.animate`. Default: the
            animator's ``transfer_mode``.
        motion_scale (float): Factor on the motion.
        smoothing (OneEuroFilter, optional): A filter of the driving codes, at the rate of the camera.
        amp (bool, optional): Compute under bfloat16 autocast. Default: as LEO was loaded, off for an animator.
        graphs (bool): Use CUDA graphs on a CUDA device.
        cropper (FaceCropper, optional): Crop the image to its face, and the frames to the face of the first frame that
            shows one; it becomes the reference. The region rests until :meth:`reset`. Default: as the animator's
            ``crop`` says.
        paste_back (bool): Put the face back into the whole image; needs ``cropper``.
        max_side, feather: Of the pasted image, see :func:`~leokit.inference.paste_back.paste_into_image`.
        compile (bool): Compile encoder and generator, where there are no fused kernels in their place; compiled code
            is kept on disk. The model itself stays as it is.
    """

    def __init__(self, model: Animator | LEO, source: ImageInput, *, mode: str | None = None,
                 motion_scale: float = 1.0, smoothing: OneEuroFilter | None = None, amp: bool | None = None,
                 graphs: bool = True, cropper: FaceCropper | None = None, paste_back: bool = False,
                 max_side: int | None = MAX_SIDE, feather: float = FEATHER, compile: bool = False) -> None:
        self.animator = (model.animator if isinstance(model, LEO) else model).eval()
        mode = mode or self.animator.transfer_mode
        check_transfer_mode(mode)
        self.mode = mode
        self.motion_scale = motion_scale
        self.smoothing = smoothing
        self.amp = getattr(model, 'amp', False) if amp is None else amp
        self._graphs = graphs
        if paste_back and cropper is None:
            raise ValueError('paste_back needs a cropper')
        self._cropper, self._paste_back = cropper, paste_back
        self._look = dict(max_side=max_side, feather=feather)
        self._camera = CameraFace(cropper) if cropper is not None and cropper.preset is not None else None
        encoder, self._flow_generator = self.animator.encoder, self.animator.flow_generator
        if compile:
            use_compile_cache()
            encoder, self._flow_generator = map(torch.compile, (encoder, self._flow_generator))
        self._device = device_of(self.animator)
        self._frames_seen = 0
        self._reference: Tensor | None = None
        self._to_latent = frozen(self.animator.motion_space)
        self.set_source(source)
        to_code = frame_encoder(encoder, amp=self.amp)
        self._encode = GraphedFunction(lambda pixels: (to_code(pixels),), enabled=graphs)  # uint8 (1, 3, S, S)

    @property
    def size(self) -> int:
        """int: Width and height of the rendered frames."""
        return self.animator.size

    def set_source(self, source: ImageInput) -> None:
        """Animate another image from the next frame on; on CUDA this captures a new graph."""
        cropped = None if self._cropper is None else self._cropper.image(source)
        images = read_images(source, self.size, crop=self.animator.crop) if cropped is None else cropped.images
        if len(images) != 1:
            raise UserError(f'one source is animated at a time, got {len(images)}')
        self._paste: Callable[[np.ndarray], np.ndarray] | None = \
            image_paster(cropped, **self._look) if self._paste_back else None
        self._encoding: Encoding = encode(self.animator, images, amp=self.amp)
        self._decode = frame_decoder(self._flow_generator, self._encoding.features, amp=self.amp)
        self._render = GraphedFunction(self._render_code, enabled=self._graphs)

    def reset(self) -> None:
        """Take the next frame as the reference of relative transfer, and look for the face in it."""
        self._reference = None
        if self._camera is not None:
            self._camera.reset()

    def __call__(self, frame: np.ndarray | Tensor | Image.Image) -> np.ndarray:
        """Render the source in the pose of a frame.

        Args:
            frame (np.ndarray | Tensor | Image.Image): An array uint8 (H, W, 3), RGB; a tensor (3, H, W), uint8 or in
                [-1, 1]; or a PIL image.

        Returns:
            np.ndarray: uint8 RGB, shape (S, S, 3), or that of the image that is pasted into.
        """
        pixels = frame_to_rgb(frame, self._frames_seen)
        self._frames_seen += 1
        if self._camera is not None:
            pixels, found = self._camera.crop(pixels)
            if found:  # the frames before were cropped in another way
                self._reference = None
        pixels = fit_to_tensor(pixels[None], self.size, self.animator.crop)
        code, = self._encode(pixels.to(self._device))
        if self.smoothing is not None:
            code = self.smoothing(code)
        if self.mode == 'absolute':
            reference = self._encoding.motion
        else:
            if self._reference is None:
                self._reference = code.clone()  # the graph's own output is overwritten
            reference = self._reference
        rendered, valid = self._render(self._encoding.motion + self.motion_scale * (code - reference))
        result = rendered.cpu().numpy()
        check_no_nan(not bool(valid))
        return result if self._paste is None else self._paste(result)

    def _render_code(self, motion: Tensor) -> tuple[Tensor, Tensor]:
        """A code (1, N) to the frame, uint8 (S, S, 3), and whether it is free of NaN."""
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.amp, cache_enabled=False):
            latent = self._to_latent(self._encoding.appearance, motion)
            frame = self._decode(latent)[0].float()
        return round_to_uint8(frame).permute(1, 2, 0).contiguous(), ~frame.isnan().any()
