"""LEO from one place (arXiv 2305.03989): generate, continue, animate, edit, manipulate.

::

    leo = LEO.from_config('configs/leo/leo_synthetic.py')
    leo.save(leo.from_image('portrait.png', num_frames=200), 'talking.mp4')
    leo.save(leo.unconditional(2, num_frames=200), ['a.mp4', 'b.mp4'])

Every method gives chunks of frames in [-1, 1], shape (B, t, 3, H, W), as they are made, so a video of any length takes
the same memory; :meth:`LEO.save` writes them, ``torch.cat(list(chunks), dim=1)`` collects them.
"""

from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

from mmengine.config import Config
from torch import Tensor

from leokit.image_editors import ImageEditor
from leokit.inference.animation import VideoAnimator
from leokit.inference.assembly import load_parts
from leokit.inference.editing import edit_video
from leokit.inference.generation import VideoGenerator
from leokit.inference.manipulation import DirectionNames, manipulate_image, manipulate_video
from leokit.inference.outputs import FrameStream, write_videos
from leokit.inference.start_frame_sampler import StartFramePainter
from leokit.inference.unconditional import UnconditionalGenerator
from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion
from leokit.utils import UserError
from leokit.utils.config import read_config
from leokit.video import ImageInput, VideoInput, count_frames
from leokit.video.readers.base import DEFAULT_FPS


class LEO:
    """The trained models and what can be done with them.

    Args:
        animator (Animator): A trained animator.
        motion_diffusion (MotionDiffusion, optional): A motion diffusion trained on its codes; needed to generate and
            to continue.
        start_code (StartCodeDiffusion, optional): The distribution of its starting codes; for videos of nobody.
        painter (StartFramePainter, optional): Draws starting frames of its size; likewise.
        directions (DirectionNames, optional): What the directions of the motion space are called.
        amp (bool): Encode and decode under bfloat16 autocast.

    Raises:
        UserError: If the models do not belong together.
    """

    def __init__(self, animator: Animator, motion_diffusion: MotionDiffusion | None = None, *,
                 start_code: StartCodeDiffusion | None = None, painter: StartFramePainter | None = None,
                 directions: DirectionNames | None = None, amp: bool = False) -> None:
        self.animator = animator.eval()
        self.directions = directions or DirectionNames(animator.motion_dim)
        self.amp = amp
        self._generator = VideoGenerator(animator, motion_diffusion, amp=amp) if motion_diffusion else None
        self._unconditional = UnconditionalGenerator(self._generator, start_code, painter) \
            if motion_diffusion and start_code and painter else None

    @classmethod
    def from_config(cls, config: str | Path | Config, device: str = 'cpu', *, amp: bool = False,
                    cfg_options: dict[str, Any] | None = None) -> 'LEO':
        """Load the models that a config names.

        Args:
            config (str | Path | Config): A config such as ``configs/leo/leo_synthetic.py``.
            device (str): Where to compute.
            amp (bool): Encode, decode and draw starting frames under bfloat16 autocast.
            cfg_options (dict, optional): Overrides of the config, with dotted keys; ``start_frame=None`` does without
                that model.

        Returns:
            LEO: Ready to use.

        Raises:
            UserError: If a file cannot be used or the models do not belong together.
        """
        config = read_config(config, cfg_options)
        parts = load_parts(config, device, amp=amp)
        return cls(*parts[:2], start_code=parts.start_code, painter=parts.painter, amp=amp,
                   directions=DirectionNames.beside(config.animator.checkpoint, parts.animator.motion_dim))

    @classmethod
    def load(cls, animator: Mapping[str, str], motion_diffusion: Mapping[str, str] | None = None, *,
             start_code: Mapping[str, str] | None = None, start_frame: Mapping[str, str] | None = None,
             start_frame_sr: Mapping[str, str] | None = None, device: str = 'cpu', amp: bool = False) -> 'LEO':
        """Load the models from files.

        Args:
            animator (Mapping): ``config`` and ``checkpoint`` (or work dir) of the animator.
            motion_diffusion (Mapping, optional): The same of the motion diffusion.
            start_code (Mapping, optional): The same of the start-code model.
            start_frame (Mapping, optional): The same of the start-frame model.
            start_frame_sr (Mapping, optional): The same of the model that enlarges starting frames.
            device (str): Where to compute.
            amp (bool): Encode, decode and draw starting frames under bfloat16 autocast.

        Returns:
            LEO: Ready to use.

        Raises:
            UserError: If a file cannot be used or the models do not belong together.
        """
        named = dict(animator=animator, motion_diffusion=motion_diffusion, start_code=start_code,
                     start_frame=start_frame, start_frame_sr=start_frame_sr)
        return cls.from_config(Config(named), device, amp=amp)

    @property
    def generator(self) -> VideoGenerator:
        """VideoGenerator: What :meth:`from_image` and :meth:`continue_video` use, with all its options.

        Raises:
            UserError: If there is no motion diffusion.
        """
        if self._generator is None:
            raise UserError('generating needs a motion diffusion; pass motion_diffusion to LEO')
        return self._generator

    @property
    def unconditional_generator(self) -> UnconditionalGenerator:
        """UnconditionalGenerator: What :meth:`unconditional` uses, with all its options.

        Raises:
            UserError: If one of the models is missing.
        """
        if self._unconditional is None:
            raise UserError('videos of nobody need a motion_diffusion, a start_code and a start_frame; name all three, '
                            'as configs/leo/leo_synthetic.py does')
        return self._unconditional

    def unconditional(self, n: int, num_frames: int, *, seed: int = 0, guidance: float | None = None) -> FrameStream:
        """Videos of people who do not exist; see :meth:`UnconditionalGenerator.generate`.

        Args:
            n (int): Videos.
            num_frames (int): Frames of each.
            seed (int): Another seed makes others; video k of a seed is the same whatever n is.
            guidance (float, optional): How firmly a first frame is bound to its code; by default the model's.

        Returns:
            FrameStream: Chunks of frames.
        """
        return self._stream(self.unconditional_generator.generate(n, num_frames, seed=seed, guidance=guidance),
                            num_frames)

    def from_image(self, images: ImageInput | Sequence[ImageInput], num_frames: int, *, num_sequences: int = 1,
                   seed: int = 0) -> FrameStream:
        """Videos that start with given pictures; see :meth:`VideoGenerator.generate`."""
        return self._stream(self.generator.generate(images, num_frames, num_sequences=num_sequences, seed=seed),
                            num_frames)

    def continue_video(self, video: VideoInput, num_frames: int, *, num_sequences: int = 1,
                       seed: int = 0) -> FrameStream:
        """The frames that follow a video; see :meth:`VideoGenerator.continue_video`."""
        return self._stream(self.generator.continue_video(video, num_frames, num_sequences=num_sequences, seed=seed),
                            num_frames)

    def animate(self, source: ImageInput | Sequence[ImageInput], driving: VideoInput, *,
                mode: str = 'relative') -> FrameStream:
        """Pictures that move as a video does; see :meth:`VideoAnimator.animate`."""
        chunks = VideoAnimator(self.animator, amp=self.amp).animate(source, driving, mode=mode)
        return self._stream(chunks, count_frames(driving))

    def edit(self, video: VideoInput, edit: ImageEditor | ImageInput) -> FrameStream:
        """A video with an edit of its first frame, or that frame edited, carried through it; see :func:`edit_video`."""
        return self._stream(edit_video(self.animator, video, edit, amp=self.amp), count_frames(video))

    def manipulate_image(self, image: ImageInput, moves: Mapping[str | int, float]) -> Tensor:
        """A picture moved along directions, named or numbered.

        Args:
            image (ImageInput): The picture.
            moves (Mapping): How far along each direction; they add up.

        Returns:
            Tensor: The picture in [-1, 1], shape (3, H, W).
        """
        return manipulate_image(self.animator, image, self.directions.move(moves)[None])[0]

    def manipulate_video(self, video: VideoInput, moves: Mapping[str | int, float]) -> FrameStream:
        """A video moved along directions; see :meth:`manipulate_image`."""
        return self._stream(manipulate_video(self.animator, video, self.directions.move(moves)[None]),
                            count_frames(video))

    def _stream(self, chunks: Iterable[Tensor], num_frames: int) -> FrameStream:
        return FrameStream(chunks, num_frames, self.animator.size)

    @staticmethod
    def save(chunks: Iterable[Tensor], paths: str | Path | Sequence[str | Path], fps: float = DEFAULT_FPS) -> None:
        """Write videos while they are made.

        Args:
            chunks (Iterable[Tensor]): What one of the other methods gives, B videos.
            paths (str | Path | Sequence): One name for each: ``.mp4``, ``.gif``, ``.npy``, or a folder of PNG files.
            fps (float): Frames per second.

        Raises:
            UserError: If the disk has not the room that the frames need, or a file cannot be written.
        """
        write_videos(chunks, [paths] if isinstance(paths, (str, Path)) else paths, fps)
