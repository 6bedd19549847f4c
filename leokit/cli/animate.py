"""Animate an image with the motion of a video.

    leokit animate lia_synthetic_64 work_dirs/lia/iter_20000.pth --source portrait.png --driving talk.mp4 \\
        --out animated.mp4
    leokit animate leo_synthetic --source portrait.png --driving talk.mp4 --out animated.mp4

The output has the frame rate of the driving video and lasts as long; --fps resamples the driving video by time.
The sound of the driving video is copied to .mp4, .mov and .mkv.
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator or of LEO', 'lia_celebv_256')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--source', '--driving', required=True)
    options.add(parser, '--mode')
    options.add(parser, '--crop', choices=(*options.CROPS, *options.FACE_CROPS), role=options.FACE_CROPS_HELP,
                unset="as in the animator's training")
    options.add_out(parser, 'video', required=True)
    options.add(parser, '--fps', unset="the driving video's")
    options.add(parser, '--chunk-size', '--amp', '--device', '--cfg-options')


def run(args: argparse.Namespace) -> None:
    """Read, animate, write."""
    from leokit.inference import FrameStream, VideoAnimator, load, write_videos
    from leokit.models import Animator
    from leokit.utils import progress_bar
    from leokit.video import open_video, read_images
    from leokit.video.sound import copy_sound
    animator = load(args.config, args.checkpoint, options.choose_device(args.device), args.cfg_options,
                    expect=Animator)
    source = args.source
    if args.crop in options.FACE_CROPS:
        from leokit.feature_extractors.face_input import crop_image_to_face, crop_video_to_face
        source = crop_image_to_face(source, args.crop)
    elif args.crop:
        animator.crop = args.crop
    source = read_images(source, animator.size, crop=animator.crop)
    with open_video(args.driving) as driving:
        if args.crop in options.FACE_CROPS:
            driving = crop_video_to_face(driving, args.crop)
        driving = driving.at_rate(args.fps or driving.fps)
        frames = VideoAnimator(animator, amp=args.amp).animate(
            source, driving, mode=args.mode, chunk_size=args.chunk_size)
        with progress_bar(len(driving), 'animating') as bar:
            write_videos(FrameStream(frames, len(driving), animator.size, driving.fps), [args.out], bar=bar)
        problem = copy_sound(args.driving, args.out)
        print(f'{args.out}: {len(driving)} frames, ' + (f'no sound: {problem}' if problem else 'with sound'))
