"""Trained models as folders of plain data: list those that come with leokit, pack your own.

    leokit zoo list
    leokit zoo pack --animator work_dirs/lia --motion-diffusion work_dirs/lmdm --out my_model
"""

from leokit.cli.zoo import list_models, pack

COMMANDS = {'list': list_models, 'pack': pack}
