"""A class of LlamaIndex by its import path, as the settings name language and embedding models."""

from importlib import import_module
from typing import Any

from index.errors import SettingsError


def import_class(path: str, base: type[Any], *, kind: str, setting: str, package: str | None = None) -> type[Any]:
    """The class at an import path.

    Args:
        path: `package.module.Name`.
        base: what it must be a kind of.
        kind: what that is in words, such as "an embedding class".
        setting: the setting that leads to it, for messages.
        package: what to install where it is missing, where that is known.

    Raises:
        SettingsError: there is none there, its package is not installed, or it is not a `base`.
    """
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except ImportError as exc:
        mend = (
            f"install the package {package} with: pip install {package}"
            if package
            else "install its package or mend the path"
        )
        raise SettingsError(f"{setting}: {path} cannot be imported ({exc}); {mend}.") from exc
    except AttributeError as exc:
        raise SettingsError(f"{setting}: the module {module} has no {name}.") from exc
    if not (isinstance(found, type) and issubclass(found, base)):
        raise SettingsError(f"{setting}: {path} is not {kind} of LlamaIndex.")
    return found
