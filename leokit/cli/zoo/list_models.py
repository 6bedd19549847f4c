"""List the trained models that come with leokit.

    leokit zoo list
    leokit zoo list --card leo_synthetic

Every command takes such a name in place of a config and its checkpoint, and NAME/PART for one of its models.
"""

import argparse

MEGABYTE = 10**6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument('--card', metavar='NAME', help='print the model card of this model instead')


def run(args: argparse.Namespace) -> None:
    """Print a table, or a card."""
    from leokit.utils import UserError
    from leokit.utils.errors import suggest
    from leokit.utils.model_folder import CARD_FILE, ZOO, find_model, zoo_hashes
    from leokit.utils.tables import markdown_table
    if args.card:
        if args.card not in zoo_hashes():
            raise UserError(f'there is no model {args.card}; leokit zoo list shows the names'
                            f'{suggest(args.card, zoo_hashes())}')
        print((ZOO / args.card / CARD_FILE).read_text(encoding='utf-8'))
        return
    rows = []
    for name in sorted(zoo_hashes()):
        index = find_model(name).index
        size = sum(file.stat().st_size for file in (ZOO / name).iterdir()) / MEGABYTE
        pixels, fps = index.get('size', ''), index.get('fps')
        rows.append([name, ', '.join(index['parts']), f'{pixels}x{pixels}' if pixels else '',
                     f'{fps:g}' if fps else '', index.get('face_crop') or index.get('crop', ''), f'{size:.1f} MB'])
    if not rows:
        print('this installation of leokit has no trained models')
        return
    print(markdown_table(['name', 'models', 'size', 'fps', 'crop', 'files'], rows, pad=True))
