"""Cause and effect, before and after, who does it to whom, more and less: each true sentence beside its false twin."""

import pytest

from rag.comparison import wrong_comparison
from rag.deeds import wrong_deed
from rag.facts import find_facts
from rag.order import wrong_order

PAIRS = {
    "cause": [
        (
            "The closure of the harbour led to a shortage of fuel on the island.",
            "Fuel ran short on the island because the harbour was closed.",
            "The harbour was closed because fuel ran short on the island.",
        ),
        (
            "Officials blamed the derailment on a broken rail that inspectors had overlooked in spring.",
            "A broken rail that was overlooked caused the derailment, officials said.",
            "The derailment caused the broken rail that inspectors had overlooked.",
        ),
        (
            "The council cancelled the festival because of the storm that was forecast for the weekend.",
            "A forecast of storms prompted the council to cancel the festival.",
            "The council cancelled the festival because of a lack of money.",
        ),
        (
            "Rising rents have forced dozens of small shops to move out of the old town.",
            "Small shops have moved out of the old town because of rising rents.",
            "Rents are rising because dozens of small shops have moved out of the old town.",
        ),
    ],
    "time": [
        (
            "The minister resigned after the report was published on Tuesday.",
            "Before the minister resigned, the report was published.",
            "The report was published after the minister resigned.",
        ),
        (
            "Before the vote the opposition left the chamber, and the speaker adjourned the session.",
            "The opposition left the chamber before the vote.",
            "The opposition left the chamber after the vote.",
        ),
    ],
    "one after the other": [
        (
            "The band first tuned the organ and then moved it to the crypt.",
            "The organ was tuned before the band moved it to the crypt.",
            "The band moved the organ to the crypt first and tuned it afterwards.",
        ),
        (
            "Six hundred members had signed the letter, after which the board opened its books.",
            "The board opened its books after the letter had been signed by the members.",
            "The board opened its books before the members signed the letter.",
        ),
        (
            "The search began in the lake and was then extended to the woods.",
            "The search started in the lake and reached the woods later.",
            "The search started in the woods and only later reached the lake.",
        ),
    ],
    "who to whom, without names": [
        (
            "The warden counted the birds. He pays local boatmen 30 crowns for each nest.",
            "Local boatmen get 30 crowns from the warden for each nest.",
            "Local boatmen pay the warden 30 crowns for each nest.",
        ),
        (
            "The glazier taught the apprentices to cut glass in the old mill.",
            "The glazier taught apprentices to cut glass.",
            "The apprentices taught the glazier to cut glass.",
        ),
        (
            "The finder took the coin to a dealer, who gave it to the abbey.",
            "A dealer gave the coin to the abbey.",
            "The abbey gave the coin to a dealer.",
        ),
    ],
    "who to whom": [
        (
            "Lindqvist accused Marovic of leaking the letter to the press.",
            "Marovic was accused by Lindqvist of leaking the letter.",
            "Marovic accused Lindqvist of leaking the letter.",
        ),
        (
            "Velstad defeated Orne by three goals to one on Saturday.",
            "Orne was defeated by Velstad on Saturday.",
            "Orne defeated Velstad by three goals to one.",
        ),
        (
            "The gas that Kestria sells to Norvia comes through two pipes, and Norvia paid Kestria late last year.",
            "Norvia paid Kestria late last year.",
            "Kestria paid Norvia late last year.",
        ),
        (
            "The ring was handed to Elna Voss by Peter Aske at the ceremony in June.",
            "Peter Aske handed the ring to Elna Voss at the ceremony.",
            "Elna Voss handed the ring to Peter Aske at the ceremony.",
        ),
    ],
    "more and less in words": [
        (
            "The new pump is louder than the old windmill, and it lifts less water than the canal.",
            "The old windmill is not as loud as the new pump.",
            "The new pump is quieter than the old windmill.",
        ),
        (
            "About 40 trains will be cancelled this week, fewer than during the floods in May.",
            "More trains were cancelled during the floods in May than this week.",
            "More trains will be cancelled this week than during the floods in May.",
        ),
    ],
    "more and less": [
        (
            "The northern bridge cost 40 million euros, while the southern bridge cost 65 million euros.",
            "The southern bridge cost more than the northern one.",
            "The northern bridge cost more than the southern one.",
        ),
        (
            "The hearing on Tuesday took four hours, after a hearing of two hours on Monday.",
            "Tuesday's hearing was longer than Monday's.",
            "Monday's hearing was longer than Tuesday's.",
        ),
    ],
}
CASES = [pytest.param(*pair, id=f"{kind}: {pair[2]}") for kind, pairs in PAIRS.items() for pair in pairs]


def fault(claim: str, source: str) -> str:
    facts = find_facts(source)
    window = (0, facts.words[-1].sentence)
    checks = (wrong_order, wrong_deed, wrong_comparison)
    return next((found for check in checks if (found := check(find_facts(claim), facts, window))), "")


@pytest.mark.parametrize(("source", "true", "false"), CASES)
def test_what_stands_on_the_other_side_is_told_from_what_does_not(source: str, true: str, false: str) -> None:
    assert fault(true, source) == ""
    assert fault(false, source)
