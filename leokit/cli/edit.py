"""Edit a video through its first frame: the video's own motion carries the edit to every frame.

    leokit edit CONFIG CHECKPOINT --video talk.mp4 --save-first-frame first.png
    leokit edit CONFIG CHECKPOINT --video talk.mp4 --edited first_edited.png --out edited.mp4
    leokit edit CONFIG CHECKPOINT --video talk.mp4 --editor Recolor --editor-options hue=120 --out edited.mp4

The first command writes the first frame, to be edited with any program; the second one uses the result. The third one
uses an editor of leokit/image_editors. --measure compares the temporal coherence of the result with that of editing
every frame separately (docs/editing.md).
"""

import argparse
import math

from leokit.cli import face_options, options
from leokit.cli.argument_types import png_file
from leokit.cli.sound_option import add_audio, describe_sound, find_sound


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator or of LEO', 'lia_celebv_256')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--video', required=True)
    edit = parser.add_mutually_exclusive_group(required=True)
    edit.add_argument('--save-first-frame', type=png_file, metavar='FILE.png', help='only write the first frame')
    edit.add_argument('--edited', metavar='IMAGE', help='the edited first frame')
    edit.add_argument('--editor', metavar='TYPE', help='an image editor, such as Recolor, BlurRegion or PasteImage')
    options.add_key_values(parser, '--editor-options', "the editor's arguments, e.g. box=0.3,0.1,0.7,0.4 strength=0.1")
    options.add_out(parser, 'video', role='required unless --save-first-frame is given')
    add_audio(parser, 'video')
    face_options.add_face_options(parser, pasted='with --edited, if the face was cropped')
    parser.add_argument('--measure', action='store_true', help='print the warping error of the first 128 frames')
    options.add(parser, '--chunk-size', '--amp', '--device', '--cfg-options')
    parser.accept_deprecated({'--first-frame': '--save-first-frame'})


def run(args: argparse.Namespace) -> None:
    """Read, edit, write."""
    from leokit.analysis import measure_edit_coherence
    from leokit.inference import edit_video, load, open_clip, write_videos
    from leokit.models import Animator
    from leokit.registry import IMAGE_EDITORS
    from leokit.utils import UserError, progress_bar
    from leokit.utils.option_text import read_options
    from leokit.video import open_video
    from leokit.visualization import save_png
    if args.editor_options and not args.editor:
        raise UserError('--editor-options are the arguments of an editor; name it with --editor, or leave them out')
    if args.save_first_frame and (args.out or args.measure):
        raise UserError(f'--save-first-frame edits nothing; leave {"--out" if args.out else "--measure"} out, and pass '
                        'it with --edited once the frame is edited')
    if args.save_first_frame:
        with open_video(args.video, background=args.background) as video:
            save_png(args.save_first_frame, video.read([0])[0])
        print(f'{args.save_first_frame}: the first frame of {args.video}')
        return
    if not args.out:
        raise UserError('--out is missing; name the file for the edited video')
    with open_video(args.video) as video:  # before the model is loaded
        if args.measure and len(video) < 2:
            raise UserError(f'--measure compares each frame with the one before, and {args.video} has one frame only; '
                            'leave it out')
    sound, note = find_sound(args.audio, dict(video=args.video), args.out)
    known = args.editor and IMAGE_EDITORS.get(args.editor)  # an unknown one is reported by build
    settings = read_options(args.editor_options or {}, known) if known else dict(path=args.edited)
    editor = IMAGE_EDITORS.build(dict(settings, type=args.editor or 'EditedFile'))
    animator = load(args.config, args.checkpoint, options.choose_device(args.device), args.cfg_options, expect=Animator)
    with open_clip(args.video, face_options.face_cropper(args, animator)) as clip:
        if args.edited and clip.is_face:
            editor.crop(clip.first_region, clip.whole.frame_size)
        paste_back = bool(args.edited) and clip.is_face if args.paste_back is None else args.paste_back
        frames = edit_video(animator, clip.cropped, editor, chunk_size=args.chunk_size, amp=args.amp)
        stream = clip.stream(frames, paste_back=paste_back, max_side=args.max_side, feather=args.feather)
        with progress_bar(len(clip.cropped), 'editing') as bar:
            write_videos(stream, [args.out], bar=bar, sound=sound)
        notes = [describe_sound(note, sound, len(clip.cropped) / clip.cropped.fps),
                 clip.describe(paste_back=paste_back)]
        print(f'{args.out}: {len(clip.cropped)} frames, ' + ', '.join(text for text in notes if text))
        if args.measure:
            print(_coherence_table(measure_edit_coherence(animator, clip.cropped, editor)))


def _coherence_table(errors: dict) -> str:
    """Warping errors of whole videos and of the edit alone, where that is defined."""
    lines = [f'{"warping error":<28}{"gray levels":>14}{"of the edit":>14}']
    for name, error in errors.items():
        edit = '' if math.isnan(error.edit) else f'{error.edit:.2f}'
        lines.append(f'{name:<28}{error.video:>14.2f}{edit:>14}')
    return '\n'.join(lines)
