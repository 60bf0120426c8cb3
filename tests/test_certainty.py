"""May, will, did, and somebody's word: each true sentence beside one that is surer than its source."""

import pytest

from rag.certainty import states_as_fact, too_certain
from rag.facts import find_facts


def faults(claim: str, source: str) -> tuple[str, str]:
    ours, theirs = find_facts(claim), find_facts(source)
    window = (0, theirs.words[-1].sentence)
    return too_certain(ours, theirs, window), states_as_fact(ours, theirs, window)


@pytest.mark.parametrize(
    ("source", "true", "false"),
    [
        ("The airline may cut 300 jobs next year.", "The airline might cut 300 jobs.", "The airline cut 300 jobs."),
        ("The airline may cut 300 jobs next year.", "Up to 300 jobs could go.", "The airline will cut 300 jobs."),
        ("The mayor will meet the farmers on Friday.", "The mayor is to meet the farmers on Friday.",
         "The mayor met the farmers on Friday."),
        ("The court is expected to publish its ruling in May.", "The ruling should be published in May.",
         "The court published its ruling in May."),
        ("The committee will vote on a plan to sell the stadium.", "The committee is to vote on selling the stadium.",
         "The committee has decided to sell the stadium."),
        ("Anders Holm and possibly two colleagues will testify.", "Holm and perhaps two colleagues will testify.",
         "Holm and two colleagues will testify."),
        ("The firm plans to open a plant in Orne.", "The firm wants to open a plant in Orne.",
         "The firm opened a plant in Orne."),
        ("The kiln stood in the yard. A cracked flue may have caused the fire, the warden said.",
         "The fire may have come from a cracked flue.", "The fire was caused by the cracked flue."),
        ("She thinks the bridge can reopen by May.", "She expects the bridge to reopen by May.",
         "She guaranteed that the bridge would reopen by May."),
        ("He said he believed that a deal was near.", "He believed a deal to be near.",
         "He confirmed that a deal was near."),
    ],
)  # fmt: skip
def test_what_may_or_will_be_has_not_happened(source: str, true: str, false: str) -> None:
    assert faults(true, source)[0] == ""
    assert faults(false, source)[0]


@pytest.mark.parametrize(
    ("source", "true", "false"),
    [
        ("Her lawyer said the verdict was unjust.", "Her lawyer called the verdict unjust.", "The verdict was unjust."),
        ("The union viewed the offer as insulting.", "In the union's view the offer was insulting.",
         "The offer was insulting."),
        ("Ministers said that prices would fall by summer.", "Prices will fall by summer, ministers said.",
         "Prices will fall by summer."),
        ("“We never received a single warning about the dam,” said Ruiz.", "Ruiz said they never received a warning.",
         "They never received a single warning about the dam."),
    ],
)  # fmt: skip
def test_somebodys_word_is_no_fact(source: str, true: str, false: str) -> None:
    assert faults(true, source) == ("", "")
    assert faults(false, source)[1]
