"""Prompts: loading and filling `prompts/*.md`, strictly."""

import re
import secrets
from functools import cache
from pathlib import Path
from string import Template

from index.errors import PromptError

FENCE = re.compile(r"DATA-[0-9a-f]{12}")
"""A mark around data, as `new_fence` makes it."""

PROMPTS_FOLDER = Path(__file__).resolve().parent.parent / "prompts"


@cache
def _template(name: str, folder: Path) -> Template:
    path = folder / f"{name}.md"
    try:
        template = Template(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise PromptError(f"The prompt prompts/{name}.md cannot be read ({type(exc).__name__}).") from exc
    if not template.is_valid():
        raise PromptError(
            f"prompts/{name}.md has a '$' that starts no variable's name; write '$$' for the sign itself."
        )
    return template


def fill_prompt(name: str, /, **variables: str) -> str:
    """The text of `prompts/<name>.md` with its `$variables` filled in; values are never searched for variables.

    Raises:
        PromptError: the file cannot be read, or its variables and those given differ; all that differ are named.
    """
    template = _template(name, PROMPTS_FOLDER)
    asked, given = set(template.get_identifiers()), set(variables)
    if asked != given:
        faults = [f"without a value: {', '.join(sorted(asked - given))}"] if asked - given else []
        faults += [f"given but not used: {', '.join(sorted(given - asked))}"] if given - asked else []
        raise PromptError(f"prompts/{name}.md and its variables differ; {'; '.join(faults)}.")
    return template.substitute(variables)


def new_fence() -> str:
    """A mark that no article can know, so that none can close the stretch of data it stands in."""
    return f"DATA-{secrets.token_hex(6)}"
