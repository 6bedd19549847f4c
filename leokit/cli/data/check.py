"""Check a dataset: missing, changed and copied files, identities and recordings that several splits share.

    leokit data check --videos data/clips
    leokit data check --videos data/clips --near-duplicates --faces --out check.json
    leokit data check --videos data/clips --same-as /backup/clips
    leokit data check --runs work_dirs/first work_dirs/second

Every file is read and compared with the SHA-256 of the manifest, if it has one. --runs compares the data that two
trainings (checkpoints, work dirs) or evaluations (files of results) recorded. The exit status is 1 if there are
problems or differences.
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    options.add(source, '--videos')
    source.add_argument('--runs', nargs=2, metavar='RUN', help='compare the data of two runs instead')
    add('--same-as', metavar='DIR', help='compare names, labels and contents with another dataset instead')
    add('--near-duplicates', action='store_true', help='decode all videos and look for recordings that occur twice')
    add('--faces', action='store_true', help='look for people whose face is in several splits (dlib)')
    add('--no-hashes', action='store_true', help='do not read whole files')
    options.add(parser, '--workers', role='files read at a time', unset='one per CPU core')
    options.add_out(parser, 'json')


def run(args: argparse.Namespace) -> int:
    """Check and print; the exit status."""
    from dataclasses import asdict

    from leokit.data_tools.integrity import check_data, compare_data
    from leokit.utils.files import write_json
    if args.runs:
        from leokit.data_tools.run_data import compare_runs
        found = compare_runs(*args.runs)
        report, good = dict(runs=args.runs, differences=found), f'{" and ".join(args.runs)} used the same data'
    elif args.same_as:
        found = compare_data(args.videos, args.same_as, workers=args.workers)
        report = dict(videos=args.videos, same_as=args.same_as, differences=found)
        good = f'{args.videos} and {args.same_as} hold the same data'
    else:
        check = check_data(args.videos, hashes=not args.no_hashes, near_duplicates=args.near_duplicates,
                           faces=args.faces, workers=args.workers)
        found, report = check.problems(), asdict(check)
        good = f'{check.videos} videos, no problem found' + (f'; data hash {check.hash}' if check.hash else '')
    print('\n'.join(found) or good)
    if args.out:
        write_json(args.out, report)
    return 1 if found else 0
