"""``python -m leokit``: the ``leokit`` command."""

from leokit.cli import main

if __name__ == '__main__':
    main()
