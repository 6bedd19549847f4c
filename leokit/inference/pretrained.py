"""Loading from and saving to model folders and the Hugging Face Hub, under the names that ``huggingface_hub`` uses."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

import torch
from torch import nn

from leokit.inference.leo import LEO
from leokit.inference.loading import ModelT, load
from leokit.inference.packing import pack
from leokit.utils import UserError
from leokit.utils.errors import suggest
from leokit.utils.hub import REPOSITORY, download, upload
from leokit.utils.model_folder import find_model, zoo_hashes


@overload
def from_pretrained(name: str | Path, *, expect: type[ModelT], device: str | torch.device = ...,
                    cfg_options: Mapping[str, Any] | None = ..., amp: bool = ..., **hub_options: Any) -> ModelT: ...


@overload
def from_pretrained(name: str | Path, *, expect: None = ..., device: str | torch.device = ...,
                    cfg_options: Mapping[str, Any] | None = ..., amp: bool = ..., **hub_options: Any) -> Any: ...


def from_pretrained(name: str | Path, *, expect: type[nn.Module] | type[LEO] | None = None,
                    device: str | torch.device = 'cpu', cfg_options: Mapping[str, Any] | None = None,
                    amp: bool = False, **hub_options: Any) -> nn.Module | LEO:
    """Load a model from a model folder, the zoo or the Hugging Face Hub.

    Args:
        name (str | Path): A model folder; a name of the zoo, such as ``'leo_synthetic'``; or ``'USER/NAME'`` on the
            hub.
        expect (type, optional): Class of the model; of LEO, only the model of this class is loaded.
        device, cfg_options, amp: See :func:`leokit.load`.
        **hub_options: ``revision``, ``cache_dir``, ``token``, ``force_download``, ``local_files_only``.

    Returns:
        nn.Module | LEO: As of :func:`leokit.load`.
    """
    if find_model(name) is None:
        if Path(name).exists() or not REPOSITORY.fullmatch(str(name)):
            raise UserError(f'{name} is neither a model folder nor the name of a model; pass a folder that '
                            'save_pretrained wrote, a name that leokit zoo list shows, or USER/NAME on the hub'
                            f'{suggest(str(name), zoo_hashes())}')
        name = download(str(name), **hub_options)
    return load(name, device=device, cfg_options=cfg_options, amp=amp, expect=expect)


def save_pretrained(model: nn.Module | LEO, save_directory: str | Path, *, repo_id: str | None = None,
                    push_to_hub: bool = False, dtype: str = 'float32', overwrite: bool = True,
                    **options: Any) -> None:
    """Write a model folder, by default with the exact weights and over an earlier one.

    Args:
        model (nn.Module | LEO): Models that :func:`leokit.load` returned.
        save_directory (str | Path): The folder.
        repo_id (str, optional): Repository to upload to, ``USER/NAME``; the folder's name by default.
        push_to_hub (bool): Also upload the folder.
        dtype, overwrite, **options: Of :func:`leokit.inference.packing.pack`.
    """
    report = pack(model, save_directory, dtype=dtype, overwrite=overwrite, **options)
    if push_to_hub:
        upload(report.folder, repo_id or report.folder.resolve().name)


def push_to_hub(model: nn.Module | LEO, repo_id: str, *, private: bool | None = None, token: str | None = None,
                branch: str | None = None, commit_message: str | None = None, create_pr: bool | None = None,
                **options: Any) -> str:
    """Write a model folder to a temporary place and upload it.

    Args:
        model (nn.Module | LEO): Models that :func:`leokit.load` returned.
        repo_id (str): ``USER/NAME``; created if it does not exist.
        private, token, branch, commit_message, create_pr: See :func:`leokit.utils.hub.upload`.
        **options: Of :func:`leokit.inference.packing.pack`; ``dtype`` is ``'float32'`` by default.

    Returns:
        str: Address of the commit or pull request.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = {'dtype': 'float32', 'name': repo_id.rpartition('/')[2], **options}
        report = pack(model, Path(folder, 'model'), **options)
        return upload(report.folder, repo_id, private=private, token=token, revision=branch,
                      commit_message=commit_message, create_pr=create_pr)
