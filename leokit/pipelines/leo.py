"""LEO from one place (arXiv 2305.03989): generate, continue, animate, edit, manipulate.

::

    leo = LEO.load(animator=dict(config='configs/lia/lia_synthetic_64.py', checkpoint='work_dirs/lia_synthetic_64'),
                   motion_diffusion=dict(config='configs/leo/lmdm_synthetic.py', checkpoint='work_dirs/lmdm_synthetic'))
    leo.save(leo.from_image('portrait.png', num_frames=200), 'talking.mp4')

Every method gives chunks of frames in [-1, 1], shape (B, t, 3, H, W), as they are made, so a video of any length takes
the same memory; :meth:`LEO.save` writes them, ``torch.cat(list(chunks), dim=1)`` collects them.
"""

from pathlib import Path
from typing import Iterable, Iterator, Mapping, Sequence

from torch import Tensor

from leokit.datasets.readers.base import DEFAULT_FPS
from leokit.image_editors import ImageEditor
from leokit.models import Animator, MotionDiffusion
from leokit.pipelines.animation import VideoAnimator
from leokit.pipelines.editing import edit_video
from leokit.pipelines.generation import VideoGenerator
from leokit.pipelines.inputs import Picture, Video
from leokit.pipelines.loading import load_animator, load_motion_diffusion
from leokit.pipelines.manipulation import DirectionNames, manipulate_image, manipulate_video
from leokit.pipelines.outputs import write_videos
from leokit.utils import UserError


class LEO:
    """The trained models and what can be done with them.

    Args:
        animator (Animator): A trained animator.
        motion_diffusion (MotionDiffusion, optional): A motion diffusion trained on its codes; needed to generate and
            to continue.
        directions (DirectionNames, optional): What the directions of the motion space are called.
        amp (bool): Encode and decode under bfloat16 autocast.

    Raises:
        UserError: If the models do not belong together.
    """

    def __init__(self, animator: Animator, motion_diffusion: MotionDiffusion | None = None, *,
                 directions: DirectionNames | None = None, amp: bool = False) -> None:
        self.animator = animator.eval()
        self.directions = directions or DirectionNames(animator.motion_dim)
        self.amp = amp
        self._generator = VideoGenerator(animator, motion_diffusion, amp=amp) if motion_diffusion else None

    @classmethod
    def load(cls, animator: Mapping[str, str], motion_diffusion: Mapping[str, str] | None = None, *,
             device: str = 'cpu', amp: bool = False) -> 'LEO':
        """Load the models from files.

        Args:
            animator (Mapping): ``config`` and ``checkpoint`` (or work dir) of the animator.
            motion_diffusion (Mapping, optional): The same of the motion diffusion.
            device (str): Where to compute.
            amp (bool): Encode and decode under bfloat16 autocast.

        Returns:
            LEO: Ready to use.

        Raises:
            UserError: If a file cannot be used or the models do not belong together.
        """
        loaded = load_animator(animator['config'], animator['checkpoint'], device)
        motion = motion_diffusion and load_motion_diffusion(
            motion_diffusion['config'], motion_diffusion['checkpoint'], device)
        return cls(loaded, motion, amp=amp, directions=DirectionNames.beside(animator['checkpoint'], loaded.motion_dim))

    @property
    def generator(self) -> VideoGenerator:
        """VideoGenerator: What :meth:`from_image` and :meth:`continue_video` use, with all its options.

        Raises:
            UserError: If there is no motion diffusion.
        """
        if self._generator is None:
            raise UserError('generating needs a motion diffusion; pass motion_diffusion to LEO')
        return self._generator

    def from_image(self, images: Picture | Sequence[Picture], num_frames: int, *, num_sequences: int = 1,
                   seed: int = 0) -> Iterator[Tensor]:
        """Videos that start with given pictures; see :meth:`VideoGenerator.generate`."""
        return self.generator.generate(images, num_frames, num_sequences=num_sequences, seed=seed)

    def continue_video(self, video: Video, num_frames: int, *, num_sequences: int = 1,
                       seed: int = 0) -> Iterator[Tensor]:
        """The frames that follow a video; see :meth:`VideoGenerator.continue_video`."""
        return self.generator.continue_video(video, num_frames, num_sequences=num_sequences, seed=seed)

    def animate(self, source: Picture | Sequence[Picture], driving: Video, *,
                mode: str = 'relative') -> Iterator[Tensor]:
        """Pictures that move as a video does; see :meth:`VideoAnimator.animate`."""
        return VideoAnimator(self.animator, amp=self.amp).animate(source, driving, mode=mode)

    def edit(self, video: Video, editor: ImageEditor) -> Iterator[Tensor]:
        """A video with an edit of its first frame carried through it; see :func:`edit_video`."""
        return edit_video(self.animator, video, editor, amp=self.amp)

    def manipulate_image(self, image: Picture, moves: Mapping[str | int, float]) -> Tensor:
        """A picture moved along directions, named or numbered.

        Args:
            image (Picture): The picture.
            moves (Mapping): How far along each direction; they add up.

        Returns:
            Tensor: The picture in [-1, 1], shape (3, H, W).
        """
        return manipulate_image(self.animator, image, self.directions.move(moves)[None])[0]

    def manipulate_video(self, video: Video, moves: Mapping[str | int, float]) -> Iterator[Tensor]:
        """A video moved along directions; see :meth:`manipulate_image`."""
        return manipulate_video(self.animator, video, self.directions.move(moves)[None])

    @staticmethod
    def save(chunks: Iterable[Tensor], paths: str | Path | Sequence[str | Path], fps: float = DEFAULT_FPS) -> None:
        """Write videos while they are made.

        Args:
            chunks (Iterable[Tensor]): What one of the other methods gives, B videos.
            paths (str | Path | Sequence): One name for each: ``.mp4``, ``.gif``, or a folder of PNG files.
            fps (float): Frames per second.
        """
        write_videos(chunks, [paths] if isinstance(paths, (str, Path)) else paths, fps)
