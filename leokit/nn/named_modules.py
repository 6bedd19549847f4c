"""A list of modules whose weights are saved by names, so that they are found where the list is another one."""

from collections.abc import Iterable, Iterator

from torch import nn


class NamedModules(nn.Module):
    """Like ``torch.nn.ModuleList``, with a name instead of the index in the keys of the state dict.

    Args:
        modules (Iterable[tuple[str, nn.Module]]): Names and modules.
    """

    def __init__(self, modules: Iterable[tuple[str, nn.Module]] = ()) -> None:
        super().__init__()
        for name, module in modules:
            if name in self._modules:
                raise ValueError(f'two modules have the name {name!r}; names must differ')
            try:
                self.add_module(name, module)
            except (KeyError, TypeError) as error:  # has a dot, is empty or an attribute of modules; is no string
                raise ValueError(f'a module cannot have the name {name!r} ({error.args[0]}); choose another') from error

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[nn.Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int) -> nn.Module:
        return list(self)[index]
