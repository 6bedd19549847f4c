"""Encode all videos of a folder to motion codes, the training data of a motion diffusion.

    leokit extract lia_synthetic_64 work_dirs/lia/iter_20000.pth --videos data/synthetic --split train \\
        --out data/synthetic_codes

Run again after an interruption, it continues with the videos that are missing. With --shard, several processes encode a
part of the videos each; run once more without it, the command joins their codes (docs/clusters.md).
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator or of LEO', 'lia_celebv_256')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--videos', required=True)
    options.add_out(parser, 'folder', role='the code cache', required=True)
    parser.add_argument('--manifest', metavar='FILE', help='list of the videos (default: the one in the folder)')
    options.add(parser, '--split', nargs='+', unset='all')
    options.add(parser, '--crop', unset='as the animator was trained')
    options.add(parser, '--fps', unset='the rate of most of the material')
    options.add(parser, '--batch-size', role='frames encoded at a time', default=64)
    options.add(parser, '--workers', role='videos decoded at a time', unset='one per CPU core')
    options.add(parser, '--amp', role='faster, but codes lose precision')
    options.add(parser, '--shard', role='of the videos')
    options.add(parser, '--device', '--cfg-options')


def run(args: argparse.Namespace) -> None:
    """Find the videos, encode them, print a summary."""
    from leokit.datasets.code_cache_writer import CodeCacheWriter
    from leokit.inference import extract_motion_codes, load
    from leokit.inference.code_shards import adopt_shards, select_shard, shard_folder, shared_rate
    from leokit.models import Animator
    from leokit.video import VideoFilter, VideoIndex
    animator = load(args.config, args.checkpoint, options.choose_device(args.device), args.cfg_options,
                    expect=Animator)
    index = VideoIndex(args.videos, VideoFilter(split=args.split), manifest=args.manifest or 'auto')
    crop = args.crop or animator.crop
    producer = dict(weights_hash=animator.weights_hash(), config=str(args.config), checkpoint=str(animator.checkpoint),
                    crop=crop, amp=args.amp)
    folder, fps = args.out, args.fps
    if args.shard:
        fps = fps or shared_rate(index)
        select_shard(index, args.shard)
        folder = shard_folder(args.out, args.shard)
    with CodeCacheWriter(folder, animator.motion_dim, animator=producer) as writer:
        joined = 0 if args.shard else adopt_shards(index, writer)
        report = extract_motion_codes(animator, index, writer, batch_size=args.batch_size, amp=args.amp,
                                      crop=crop, fps=fps, workers=args.workers)
    if joined:
        print(f'{folder}: codes of {joined} videos taken from shards')
    known = report.known - joined
    print(f'{folder}: {report.videos} videos encoded ({report.frames} frames), {known} already present, '
          f'{report.skipped} skipped')
    for skipped in writer.skipped:
        print(f'  skipped {skipped.file}: {skipped.reason}')
