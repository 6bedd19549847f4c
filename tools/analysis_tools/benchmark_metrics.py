"""Script of ``leokit bench evaluation``, which takes the same arguments."""

from leokit.cli import main

if __name__ == '__main__':
    main('bench', 'evaluation')
