"""What the README says is so: its settings table and its commands."""

import re
from pathlib import Path

from index.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def settings_rows() -> list[str]:
    rows = []
    for name, field in Settings.model_fields.items():
        key = field.validation_alias or f"BYLINE_{name.upper()}"
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = f"`{default}`" if default not in (None, {}, (), "") else ""
        rows.append(f"| `{key}` | {shown} | {field.description} |".replace("|  |", "| |"))
    return rows


def test_the_settings_table_is_that_of_the_settings() -> None:
    table = [line for line in README.splitlines() if re.match(r"\| `(BYLINE|OPENAI)_", line)]
    assert table == settings_rows()


def test_every_file_the_readme_names_exists() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert linked
    assert [name for name in linked if not (ROOT / name).exists()] == []
