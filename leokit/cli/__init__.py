"""The ``leokit`` command: one module per subcommand, with ``add_arguments(parser)`` and ``run(args)``.

The scripts below ``tools/`` run the same functions. Modules of this package import the heavy parts of leokit inside
``run``, so that ``--help`` and mistakes in the command line answer without importing torch.
"""

from leokit.cli.commands import main

__all__ = ['main']
