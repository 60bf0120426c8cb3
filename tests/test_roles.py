"""Whose office, nation and house: each true sentence beside its false twin."""

import pytest

from rag.facts import find_facts
from rag.roles import roles_of, wrong_role

LEADERS = (
    "Valmere's president, Sana Brek, met the Kestrian Prime Minister Timo Aalen, Norvian Chancellor Elin Sand, the "
    "union's deputy chair Pavel Ansem and Brek's envoy Ivo Stren. Dr Silke Dahn, a surgeon, was present too."
)


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("President Sana Brek met them.", "Prime Minister Sana Brek met them."),
        ("Kestria's prime minister, Timo Aalen, came.", "Kestria's president, Timo Aalen, came."),
        ("Norvian Chancellor Elin Sand came.", "Kestrian Chancellor Elin Sand came."),
        ("Pavel Ansem, the deputy chair of the union, came.", "Pavel Ansem, the chair of the union, came."),
        ("She met Brek's envoy Ivo Stren.", "She met Sand's envoy Ivo Stren."),
        ("The surgeon Silke Dahn was present.", "The lawyer Silke Dahn was present."),
    ],
)
def test_an_office_stays_with_whoever_holds_it(true: str, false: str) -> None:
    source = find_facts(LEADERS)
    assert wrong_role(find_facts(true), source) == ""
    assert wrong_role(find_facts(false), source)


def test_in_a_list_the_next_ones_office_is_not_the_one_befores() -> None:
    roles = {role.name.text: role.offices for role in roles_of(find_facts(LEADERS))}
    assert roles["Timo Aalen"] == {"premier"}
    assert roles["Elin Sand"] == {"chancellor"}
