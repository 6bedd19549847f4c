"""Convert a reference LIA checkpoint to leokit's format, or a leokit animator to LIA's.

    python tools/model_converters/lia.py vox.pt animator.pth
    python tools/model_converters/lia.py animator.pth vox_again.pt

The direction follows from what the input holds: the public files keep their weights under ``gen``.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.models import convert_checkpoint  # noqa: E402
from leokit.utils import run_tool  # noqa: E402


def main() -> None:
    """Parse the arguments and convert."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', metavar='IN', help='a LIA checkpoint (vox.pt, ...) or a leokit checkpoint')
    parser.add_argument('output', metavar='OUT', help='the file to write')
    arguments = parser.parse_args()
    print(convert_checkpoint(arguments.input, arguments.output))


if __name__ == '__main__':
    run_tool(main)
