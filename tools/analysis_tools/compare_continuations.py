"""Script of ``leokit analyze long-video``, which takes the same arguments."""

from leokit.cli import main

if __name__ == '__main__':
    main('analyze', 'long-video')
