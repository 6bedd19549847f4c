"""A config whose text is formatted once.

``Config.pretty_text`` formats with yapf at every access, for up to half a second. At the start of a training MMEngine's
runner, its message hub and every visualizer ask for the same text.
"""

from mmengine.config import Config


class FormattedOnce(Config):
    """A config that keeps the text of its present content; copies keep it, too.

    The content may be changed like that of any config: the next text is that of the new content.
    """

    _kept: tuple[str, str] | None = None  # text without and with format

    @classmethod
    def of(cls, config: Config) -> 'FormattedOnce':
        """The same config, which shares its values; not a copy."""
        formatted = cls.__new__(cls)
        formatted.__dict__.update(config.__dict__)
        return formatted

    @property
    def pretty_text(self) -> str:
        """The text, as of MMEngine's ``Config``."""
        content = Config(self._cfg_dict, format_python_code=False).pretty_text  # a millisecond
        if self._kept is None or self._kept[0] != content:
            # Config.__setattr__ would add a key
            object.__setattr__(self, '_kept', (content, super().pretty_text))
        return self._kept[1]
