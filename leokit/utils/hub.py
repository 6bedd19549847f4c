"""Model folders on the Hugging Face Hub, through ``huggingface_hub`` (extra ``hub``).

Where the hub is and whose token is used is decided by ``huggingface_hub``: ``HF_ENDPOINT``, ``HF_TOKEN``,
``HF_HUB_OFFLINE``, ``HF_HOME``.
"""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

from leokit.utils.errors import UserError

# of a model folder; nothing else of a repository is downloaded or uploaded
FILES = ('config.json', 'model.safetensors', 'README.md', 'directions.json')
# user or organization, and name
REPOSITORY = re.compile(r'[\w.-]+/[\w.-]+')
ADDRESS = re.compile(r'([\w.-]+/[\w.-]+)(?:@([^/]+))?(?:/(\w+))?')


def split_address(address: str) -> tuple[str, str | None, str | None]:
    """``USER/NAME[@REVISION][/PART]`` into repository, revision and part."""
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise UserError(f'hf://{address} is not an address of a model; write hf://USER/NAME, hf://USER/NAME@REVISION '
                        'or hf://USER/NAME/PART')
    return match[1], match[2], match[3]


def download(repository: str, revision: str | None = None, **options: Any) -> Path:
    """The local copy of a model repository; what is cached is not downloaded again.

    Args:
        repository (str): ``USER/NAME``.
        revision (str, optional): Branch, tag or commit.
        **options: Of ``huggingface_hub.snapshot_download``: ``cache_dir``, ``token``, ``local_files_only``, ...
    """
    hub = _library()
    try:
        return Path(hub.HfApi().snapshot_download(repository, revision=revision, allow_patterns=list(FILES), **options))
    except Exception as error:  # its own, of HTTP, of the disk
        raise UserError(f'the model {repository} cannot be downloaded from the Hugging Face Hub '
                        f'({_first_line(error)}); check the name, the network and HF_TOKEN') from error


def upload(folder: Path, repository: str, *, private: bool | None = None, token: str | None = None,
           revision: str | None = None, commit_message: str | None = None, create_pr: bool | None = None) -> str:
    """Create a repository if it does not exist, and upload a model folder.

    Args:
        folder (Path): The model folder.
        repository (str): ``USER/NAME``.
        private (bool, optional): Whether a new repository is private.
        token (str, optional): Of the hub; the one of ``huggingface-cli login`` by default.
        revision (str, optional): Branch; the main one by default.
        commit_message (str, optional): Message of the commit.
        create_pr (bool, optional): Open a pull request instead of committing.

    Returns:
        str: Address of the commit or pull request.
    """
    hub = _library()
    try:
        api = hub.HfApi(token=token)
        repository = api.create_repo(repository, private=private, exist_ok=True).repo_id
        return str(api.upload_folder(
            repo_id=repository, folder_path=folder, allow_patterns=list(FILES), revision=revision, create_pr=create_pr,
            commit_message=commit_message or 'Upload model with leokit'))
    except Exception as error:
        raise UserError(f'the model cannot be uploaded to {repository} on the Hugging Face Hub ({_first_line(error)}); '
                        'check the name, the network and HF_TOKEN') from error


def _library() -> ModuleType:
    try:
        import huggingface_hub
    except ImportError as error:
        raise UserError("models on the Hugging Face Hub need huggingface_hub; install it with pip install 'leokit[hub]'"
                        ) from error
    return huggingface_hub


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip('.') if lines else type(error).__name__
