"""Build hook: a wheel has the configs in ``leokit/.mim/configs``, as OpenMMLab packages do. The rest is setup.cfg."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
CONFIGS = Path('leokit', '.mim', 'configs')


class BuildWithConfigs(build_py):
    """``build_py`` that copies ``configs`` into the package; an editable install reads them from the clone."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, CONFIGS)
            shutil.rmtree(target, ignore_errors=True)  # a leftover of an earlier build
            shutil.copytree(ROOT / 'configs', target, ignore=shutil.ignore_patterns('__pycache__'))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        files = (file for kind in ('*.py', '*.yml') for file in (ROOT / 'configs').rglob(kind))
        copies = [str(Path(self.build_lib, CONFIGS, file.relative_to(ROOT / 'configs'))) for file in files]
        return super().get_outputs(include_bytecode) + ([] if self.editable_mode else copies)


setup(cmdclass={'build_py': BuildWithConfigs})
