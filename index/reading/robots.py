"""robots.txt: what a site lets programs fetch (RFC 9309)."""

import re
from dataclasses import dataclass

_NAME = "byline"
_MAX_RULES = 2000


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one site for Byline.

    Attributes:
        paths: pattern of a path, and whether it is allowed.
        delay_seconds: shortest time between two requests that the site asks for.
    """

    paths: tuple[tuple[str, bool], ...] = ()
    delay_seconds: float = 0.0

    def allow(self, target: str) -> bool:
        """Whether a path, with its query, may be fetched: the longest pattern that fits says so, allowing in a tie."""
        fitting = [(len(pattern), allowed) for pattern, allowed in self.paths if _fits(pattern, target)]
        return max(fitting)[1] if fitting else True


def read_rules(data: bytes) -> Rules:
    """The rules for Byline by its name, else those for all."""
    named: list[tuple[str, bool]] | None = None
    general: list[tuple[str, bool]] = []
    delays = {"named": 0.0, "general": 0.0}
    agents: set[str] = set()
    in_rules = True
    for line in data.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent":
            if in_rules:
                agents, in_rules = set(), False
            agents.add(re.split(r"[/\s]", value.lower())[0])
            if _NAME in agents and named is None:
                named = []
        elif key in {"allow", "disallow", "crawl-delay"}:
            in_rules = True
            if key == "crawl-delay":
                delay = float(value) if re.fullmatch(r"\d{1,4}(\.\d{1,3})?", value) else 0.0
                delays |= {"named": delay} if _NAME in agents else {}
                delays |= {"general": delay} if "*" in agents else {}
            elif value:  # an empty `Disallow:` forbids nothing
                for rules, name in ((named, _NAME), (general, "*")):
                    if rules is not None and name in agents and len(rules) < _MAX_RULES:
                        rules.append((value, key == "allow"))
    return Rules(tuple(general), delays["general"]) if named is None else Rules(tuple(named), delays["named"])


def _fits(pattern: str, target: str) -> bool:
    """Whether a pattern fits: `*` stands for anything, a last `$` for the end."""
    anchored = pattern.endswith("$")
    first, *parts = pattern.removesuffix("$").split("*")
    if not target.startswith(first):
        return False
    at = len(first)
    for number, part in enumerate(parts):
        if anchored and number == len(parts) - 1:
            return target.endswith(part) and len(target) - len(part) >= at
        at = target.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return not anchored or at == len(target)
