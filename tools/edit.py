"""Edit a video by its first frame: the video's own motion carries the edit through it.

    python tools/edit.py CONFIG CHECKPOINT --video talk.mp4 --first-frame first.png
    python tools/edit.py CONFIG CHECKPOINT --video talk.mp4 --edited first_edited.png --out edited.mp4
    python tools/edit.py CONFIG CHECKPOINT --video talk.mp4 --editor Recolor --editor-options hue=120 --out edited.mp4

The first line writes the first frame, to be edited with any program; the second one uses the result. The third one uses
an editor of leokit/image_editors. --measure says how coherent the result is beside editing every frame by itself;
docs/editing.md says how to read it.
"""

import argparse
import math
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.image_editors import build_editor  # noqa: E402
from leokit.inference import CHUNK_SIZE, FrameStream, edit_video, load_named_animator, measure_edit, write_videos
from leokit.video import open_video
from leokit.inference.editing import MEASURED_FRAMES  # noqa: E402
from leokit.utils import UserError, progress_bar, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, add_key_values, png_file, positive_int  # noqa: E402
from leokit.visualization import save_png  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('config', help="the animator's config, or one of LEO")
    add('checkpoint', nargs='?', help="the animator's checkpoint; not for a config of LEO, which names it")
    add('--video', required=True, metavar='VIDEO', help='the video to edit')
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--first-frame', type=png_file, metavar='FILE.png', help='write the first frame there, and stop')
    what.add_argument('--edited', metavar='PICTURE', help='the edited first frame')
    what.add_argument('--editor', metavar='TYPE', help='an image editor, such as Recolor, BlurRegion or PasteImage')
    add_key_values(parser, '--editor-options', "the editor's arguments, e.g. box=0.3,0.1,0.7,0.4 strength=0.1")
    add('--out', metavar='FILE', help='.mp4, .gif, or no suffix: a folder of PNG files')
    add('--measure', action='store_true', help=f'print the warping error of the first {MEASURED_FRAMES} frames')
    add('--chunk-size', type=positive_int, default=CHUNK_SIZE, help='frames at a time (default: %(default)s)')
    add('--amp', action='store_true', help='compute in bfloat16')
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def main() -> None:
    """Read, edit, write."""
    args = parse_args()
    with open_video(args.video) as video:
        if args.first_frame:
            save_png(args.first_frame, video.read([0])[0])
            print(f'{args.first_frame}: the first frame of {args.video}')
            return
        if not args.out:
            raise UserError('--out is missing; name the file for the edited video')
        options = dict(path=args.edited) if args.edited else args.editor_options or {}
        editor = build_editor(dict(options, type='EditedFile' if args.edited else args.editor))
        animator, _ = load_named_animator(args.config, args.checkpoint, args.device, args.cfg_options)
        frames = edit_video(animator, video, editor, chunk_size=args.chunk_size, amp=args.amp)
        with progress_bar(len(video), 'editing') as bar:
            write_videos(FrameStream(frames, len(video), animator.size), [args.out], video.fps, bar=bar)
        print(f'{args.out}: {len(video)} frames')
        if args.measure:
            print(f'{"warping error":<28}{"gray levels":>14}{"of the edit":>14}')
            for name, error in measure_edit(animator, video, editor).items():
                alone = '' if math.isnan(error.edit) else f'{error.edit:.2f}'
                print(f'{name:<28}{error.video:>14.2f}{alone:>14}')


if __name__ == '__main__':
    run_tool(main)
