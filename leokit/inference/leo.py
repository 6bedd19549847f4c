"""All of LEO in one object (arXiv 2305.03989): generate, continue, animate, edit, manipulate.

::

    leo = leokit.load('configs/leo/leo_synthetic.py', device='cuda')
    leo.save(leo.from_image('portrait.png', num_frames=200), 'talking.mp4')
    leo.save(leo.unconditional(2, num_frames=200), ['a.mp4', 'b.mp4'])

Every method yields chunks of frames in [-1, 1], shape (B, t, 3, H, W), as soon as they are rendered, so memory does not
grow with the length of a video; :meth:`LEO.save` writes them, ``torch.cat(list(chunks), dim=1)`` collects them.
"""

from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

from mmengine.config import Config
from torch import Tensor

from leokit.image_editors import ImageEditor
from leokit.inference.animation import VideoAnimator
from leokit.inference.driving_codes import DrivingCodes, is_image_driver
from leokit.inference.editing import edit_video
from leokit.inference.generation import VideoGenerator
from leokit.inference.manipulation import DirectionNames, manipulate_image, manipulate_video
from leokit.inference.motion_transfer import MotionTransfer
from leokit.inference.outputs import FrameStream, write_videos
from leokit.inference.regions import region_map
from leokit.inference.start_frame_sampler import StartFrameSampler
from leokit.inference.unconditional import UnconditionalGenerator
from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion
from leokit.models.pretrained import Pretrained
from leokit.utils import UserError
from leokit.utils.same_animator import check_same_animator
from leokit.video import ImageInput, VideoInput, image_list, is_frame_stream, length_and_rate, reusable_video
from leokit.video.frame_rate import DEFAULT_FPS


class LEO(Pretrained):
    """The trained models of LEO and what they can do; :func:`leokit.load` builds it from a config.

    Args:
        animator (Animator): A trained animator.
        motion_diffusion (MotionDiffusion, optional): A motion diffusion trained on its codes, to generate and continue.
        start_code (StartCodeDiffusion, optional): The distribution of its starting codes, for unconditional generation.
        start_frame_sampler (StartFrameSampler, optional): Starting frames, for unconditional generation.
        directions (DirectionNames, optional): Names of directions of the motion space.
        amp (bool): Encode and render under bfloat16 autocast.

    Attributes:
        cfg (Config | None): The config that the models were loaded from.
        untrained (Mapping): By part of that config, a sentence about a checkpoint that does not exist yet.
        animator, motion_diffusion, start_code, start_frame_sampler: As given; None if left out.
    """

    cfg: Config | None = None
    untrained: Mapping[str, str] = {}

    def __init__(self, animator: Animator, motion_diffusion: MotionDiffusion | None = None, *,
                 start_code: StartCodeDiffusion | None = None, start_frame_sampler: StartFrameSampler | None = None,
                 directions: DirectionNames | None = None, amp: bool = False) -> None:
        stages = start_frame_sampler.stages if start_frame_sampler else ()
        models = [model for model in (animator, motion_diffusion, start_code, *stages) if model is not None]
        check_same_animator(*(model.code_origin for model in models))
        if start_frame_sampler is not None:
            start_frame_sampler.check_size(animator)
        self.animator = animator.eval()
        self.motion_diffusion, self.start_code = motion_diffusion, start_code
        self.start_frame_sampler = start_frame_sampler
        self.directions = directions or DirectionNames(animator.motion_dim)
        self.amp = amp
        self._generator = VideoGenerator(animator, motion_diffusion, amp=amp) if motion_diffusion else None
        self._unconditional = UnconditionalGenerator(self._generator, start_code, start_frame_sampler) \
            if motion_diffusion and start_code and start_frame_sampler else None

    @property
    def generator(self) -> VideoGenerator:
        """VideoGenerator: The implementation of :meth:`from_image` and :meth:`continue_video`, with all options."""
        if self._generator is None:
            raise UserError('generating needs a motion diffusion; pass motion_diffusion to LEO')
        return self._generator

    @property
    def unconditional_generator(self) -> UnconditionalGenerator:
        """UnconditionalGenerator: The implementation of :meth:`unconditional`, with all options."""
        if self._unconditional is None and self.untrained:
            raise UserError(f'unconditional generation is not available: {"; ".join(self.untrained.values())}')
        if self._unconditional is None:
            raise UserError('unconditional generation needs a motion_diffusion, a start_code and a start_frame; name '
                            'all three, as configs/leo/leo_synthetic.py does')
        return self._unconditional

    def unconditional(self, n: int, num_frames: int, *, seed: int = 0,
                      guidance_scale: float | None = None) -> FrameStream:
        """``n`` videos of identities that do not exist; see :meth:`UnconditionalGenerator.generate`.

        Video k of a seed does not depend on ``n``.
        """
        chunks = self.unconditional_generator.generate(n, num_frames, seed=seed, guidance_scale=guidance_scale)
        return self._generated(chunks, num_frames, n)

    def from_image(self, images: ImageInput | Sequence[ImageInput], num_frames: int, *, num_sequences: int = 1,
                   seed: int = 0, **options: Any) -> FrameStream:
        """Videos that start with given images; see :meth:`VideoGenerator.generate`.

        ``key_images``, ``control`` and ``guidance_scales`` are options as there.
        """
        images = image_list(images)
        chunks = self.generator.generate(images, num_frames, num_sequences=num_sequences, seed=seed, **options)
        return self._generated(chunks, num_frames, len(images) * num_sequences)

    def continue_video(self, video: VideoInput, num_frames: int, *, num_sequences: int = 1,
                       seed: int = 0, **options: Any) -> FrameStream:
        """The frames that follow a video; see :meth:`VideoGenerator.continue_video`."""
        chunks = self.generator.continue_video(video, num_frames, num_sequences=num_sequences, seed=seed, **options)
        return self._generated(chunks, num_frames, num_sequences)

    def animate(self, source: ImageInput | Sequence[ImageInput], driving: VideoInput | DrivingCodes | ImageInput, *,
                mode: str | None = None, start_frame: str | int | None = None,
                regions: Mapping[str | int, float] | None = None, **options: Any) -> FrameStream:
        """Images with the motion of a video; see :meth:`VideoAnimator.animate`.

        Args:
            source (ImageInput | Sequence[ImageInput]): One image, or B images.
            driving (VideoInput | DrivingCodes | ImageInput): A video, its codes or the file that holds them (``.npz``),
                or a single image (a path or a PIL image).
            mode (str, optional): ``'relative'`` or ``'absolute'``. Default: relative; absolute for an image.
            start_frame (str | int, optional): The reference of relative transfer. Default: ``'auto'``; ``'first'`` for
                an iterator of frames, which may be endless.
            regions (Mapping, optional): Amount by region; see :func:`~leokit.inference.regions.region_map`.
            **options: Of :class:`~leokit.inference.motion_transfer.MotionTransfer`.
        """
        animator = VideoAnimator(self.animator, amp=self.amp)
        still = is_image_driver(driving)
        driving = animator.open_driver(driving)
        transfer = MotionTransfer(
            mode=mode or ('absolute' if still else 'relative'),
            start_frame=start_frame if start_frame is not None else 'first' if is_frame_stream(driving) else 'auto',
            regions=region_map(self.directions, regions) if regions else None, **options)
        length = (len(driving), driving.fps) if isinstance(driving, DrivingCodes) else length_and_rate(driving)
        source = image_list(source)
        return self._stream(animator.animate(source, driving, transfer=transfer), *length, len(source))

    def edit(self, video: VideoInput, edit: ImageEditor | ImageInput) -> FrameStream:
        """A video with the edit of its first frame propagated to all frames; see :func:`edit_video`."""
        video = reusable_video(video)
        return self._stream(edit_video(self.animator, video, edit, amp=self.amp), *length_and_rate(video))

    def manipulate_image(self, image: ImageInput, edits: Mapping[str | int, float]) -> Tensor:
        """An image moved along directions of the motion space.

        Args:
            image (ImageInput): The image.
            edits (Mapping): Offset along each direction, by name or number; offsets are summed.

        Returns:
            Tensor: The image in [-1, 1], shape (3, H, W).
        """
        return manipulate_image(self.animator, image, self.directions.offset(edits)[None])[0]

    def manipulate_video(self, video: VideoInput, edits: Mapping[str | int, float]) -> FrameStream:
        """A video moved along directions of the motion space; see :meth:`manipulate_image`."""
        video = reusable_video(video)
        return self._stream(manipulate_video(self.animator, video, self.directions.offset(edits)[None]),
                            *length_and_rate(video))

    def _generated(self, chunks: Iterable[Tensor], num_frames: int, num_videos: int) -> FrameStream:
        return self._stream(chunks, num_frames, self.generator.fps, num_videos)

    def _stream(self, chunks: Iterable[Tensor], num_frames: int | None, fps: float | None,
                num_videos: int = 1) -> FrameStream:
        return FrameStream(chunks, num_frames, self.animator.size, fps, num_videos)

    @staticmethod
    def save(chunks: Iterable[Tensor], paths: str | Path | Sequence[str | Path], fps: float | None = None) -> None:
        """Write videos while they are generated; see :func:`write_videos`.

        Args:
            chunks (Iterable[Tensor]): Result of another method, B videos.
            paths (str | Path | Sequence): B paths: ``.mp4``, ``.gif``, ``.npy``, or a folder of PNG files.
            fps (float, optional): Frames per second, to which the videos are resampled. Default: their own rate, that
                of the driving video or of the motion diffusion's training; 25 if it is unknown.
        """
        if fps is None and getattr(chunks, 'fps', None) is None:
            fps = DEFAULT_FPS
        write_videos(chunks, [paths] if isinstance(paths, (str, Path)) else paths, fps)
