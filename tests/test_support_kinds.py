"""Sentences that are true in other words than their source's, each beside a false twin: the kinds that are told apart.

Half are about the made-up articles of `eval/conflicts`, half about made-up news.
"""

from pathlib import Path

import pytest
from llama_index.core.embeddings import BaseEmbedding

from index.embeddings import load_embedding
from index.settings import Settings
from rag.support import check_support

ARTICLES = Path(__file__).parent.parent / "eval/conflicts/articles"
FERRY = (
    "The ferry to Skarv will sail without passengers until May, the operator Nordline said on Monday. “There was no "
    "other way to keep the islands supplied,” its director, Ines Holt, told the council. The island's mayor, Per Aune, "
    "called the plan unworkable. Both ferries were built in 1998, and neither has a lift. Critics, among them the "
    "former harbour master Olaf Rem, say the operator had known of the rust for months."
)
STADIUM = (
    "France's president, Luc Moreau, and Italy's prime minister, Carla Bindi, opened the stadium in Lyon on Saturday. "
    "Bindi said the two countries would share the cost of 80 million euros. The German chancellor, Ruth Adler, stayed "
    "away without giving a reason. Moreau praised the builders, who had worked through the winter with no accident."
)


@pytest.fixture(scope="module")
def embedding() -> BaseEmbedding:
    return load_embedding(Settings())


def source_of(name: str) -> tuple[str, str]:
    """Title and text of a conflicts article, or a made-up text."""
    if name in {"ferry", "stadium"}:
        return ("Ferry to sail empty", FERRY) if name == "ferry" else ("Leaders open stadium", STADIUM)
    title, _, text = (ARTICLES / f"{name}.txt").read_text(encoding="utf-8").partition("\n")
    return title, text


def is_supported(name: str, sentence: str, embedding: BaseEmbedding) -> tuple[bool, str]:
    title, text = source_of(name)
    support, reason = check_support(sentence, [text], about=[title], embedding=embedding)
    return support == "supported", reason


PAIRS = {
    "vague count": [
        (
            "strike-1-kna",
            "Goran Feld called on the two sides to return to the table.",
            "Goran Feld called on the three sides to return to the table.",
        ),
        (
            "border-1-kna",
            "The two countries attacked each other with drones in the night to Monday.",
            "Three countries attacked each other with drones in the night to Monday.",
        ),
        (
            "border-1-kna",
            "Two neighbours, Kestria and Norvia, attacked each other with drones.",
            "Two neighbours, Kestria and Valmere, attacked each other with drones.",
        ),
        (
            "football-1-herald",
            "The two teams, Tavlin Rovers and Eastport United, met in the first leg of the semi-final.",
            "The five teams met in the first leg of the semi-final.",
        ),
        ("ferry", "The two ferries were built in 1998.", "The three ferries were built in 1998."),
        ("ferry", "The pair of ferries date from 1998 and have no lift.", "The five ferries date from 1998."),
        (
            "stadium",
            "The two leaders opened the stadium in Lyon on Saturday.",
            "The six leaders opened the stadium in Lyon on Saturday.",
        ),
        ("flood-5-wire", "Six bodies were brought to the hospital.", "Two bodies were brought to the hospital."),
        ("bridge-2-wire", "The two banks' roads have to be moved.", "The three banks' roads have to be moved."),
    ],
    "without": [
        (
            "ferry",
            "Nordline's ferry to Skarv is to sail without passengers until May.",
            "Nordline's ferry to Skarv is to sail with passengers until May.",
        ),
        (
            "ferry",
            "Until May the operator will run the ferry to Skarv without any passengers on board.",
            "Until May the operator will run the ferry to Bodnes without any passengers.",
        ),
        (
            "stadium",
            "The German chancellor stayed away without giving reasons.",
            "The German chancellor stayed away and gave a reason.",
        ),
        (
            "strike-1-kna",
            "The union's strike would be one without an end date.",
            "The union's strike would have an end date.",
        ),
        (
            "border-2-today",
            "Selja was without water on Monday: 50,000 people had none there and in villages around it.",
            "Selja was without water on Friday.",
        ),
        (
            "border-2-today",
            "50,000 people in and around Selja had no water on Monday after a drone hit the pumping station.",
            "90,000 people in and around Selja had no water on Monday after a drone hit the pumping station.",
        ),
        (
            "strike-3-chronicle",
            "The union wants a strike with no planned end.",
            "The union plans an end for the strike.",
        ),
        (
            "border-1-kna",
            "A no-casualty fire: in Kestria two warehouses burned in the port of Duma without anyone hurt.",
            "In Kestria two warehouses in the port of Duma did not burn.",
        ),
        (
            "stadium",
            "The builders had worked through the winter without an accident.",
            "The builders had not worked through the winter.",
        ),
        (
            "flood-6-correction",
            "The governor's office asked reporters not to publish the names without all relatives being told.",
            "The governor's office asked reporters to publish the names.",
        ),
    ],
    "who speaks": [
        (
            "strike-3-chronicle",
            "Dora Kesk, who heads the dockers' union, said they would not blink.",
            "Lena Vogt, who heads the dockers' union, said they would not blink.",
        ),
        (
            "strike-1-kna",
            "“We will not blink,” the chair of the union told the crowd.",
            "“We will not blink,” the transport minister told the crowd.",
        ),
        (
            "strike-2-post",
            "“We will not blink,” said Pavel Ansem, who is the union's deputy chair.",
            "“We will not blink,” said Hanna Wirt, who is the union's deputy chair.",
        ),
        (
            "flood-5-wire",
            "The hospital's head, Anselm Ruiz, said six bodies had been brought to it.",
            "The town's mayor, Edda Lorn, said six bodies had been brought to the hospital.",
        ),
        (
            "flood-5-wire",
            "The mayor of Tavlin said the sirens had sounded at 9.40 p.m. on Monday.",
            "Anselm Ruiz said the sirens had sounded at 9.40 p.m. on Monday.",
        ),
        (
            "flood-1-kna",
            "Mirela Tosk, who governs Hallin province, said the water had risen by 2.4 metres in six hours.",
            "Edda Lorn, who governs Hallin province, said the water had risen by 2.4 metres in six hours.",
        ),
        (
            "bridge-3-times",
            "“Fantasy” is what Goran Feld, who is transport minister, called the opposition's figure.",
            "“Fantasy” is what Ruta Vance, who is the court's president, called the opposition's figure.",
        ),
        (
            "bridge-3-times",
            "Feld said of the opposition's figure for a tunnel that it was fantasy.",
            "Vance said of the opposition's figure for a tunnel that it was fantasy.",
        ),
        (
            "bridge-2-wire",
            "Aron Tilke, a spokesman of the opposition, said a tunnel would have been safer.",
            "Marta Oblen, a baker, said a tunnel would have been safer.",
        ),
        (
            "border-2-today",
            "Elin Sand, who leads Norvia's delegation, said the attack would not keep her from the table.",
            "Oskar Lind, who leads Norvia's delegation, said the attack would not keep her from the table.",
        ),
        (
            "border-2-today",
            "The head of the water works said repairs would take four days.",
            "The leader of Norvia's delegation, Elin Sand, said repairs would take four days.",
        ),
        (
            "ferry",
            "Ines Holt, who runs Nordline, told the council there was no other way to supply the islands.",
            "Per Aune, who runs Nordline, told the council there was no other way to supply the islands.",
        ),
        (
            "ferry",
            "The mayor said of the plan that it was unworkable.",
            "Ines Holt said of the plan that it was unworkable.",
        ),
        (
            "ferry",
            "Among the critics is Olaf Rem, once harbour master, who says Nordline knew of the rust for months.",
            "Per Aune, the mayor, says Nordline knew of the rust for months.",
        ),
        (
            "stadium",
            "The Italian prime minister said the countries would share the cost.",
            "The French president said the countries would share the cost.",
        ),
    ],
    "whose title": [
        (
            "stadium",
            "French President Luc Moreau opened the stadium.",
            "French President Carla Bindi opened the stadium.",
        ),
        (
            "stadium",
            "Italian Prime Minister Carla Bindi said the cost would be shared.",
            "German Chancellor Carla Bindi said the cost would be shared.",
        ),
        (
            "stadium",
            "Italy's prime minister, Carla Bindi, and the French president, Luc Moreau, opened the stadium.",
            "Italy's prime minister, Luc Moreau, and the French president, Carla Bindi, opened the stadium.",
        ),
        ("stadium", "German Chancellor Ruth Adler stayed away.", "Italian Chancellor Ruth Adler stayed away."),
        (
            "flood-5-wire",
            "Tavlin's mayor, Edda Lorn, said the sirens had sounded at 9.40 p.m.",
            "Governor Edda Lorn said the sirens had sounded at 9.40 p.m.",
        ),
        (
            "border-1-kna",
            "Foreign Minister Sana Brek of Valmere expected long days.",
            "Governor Sana Brek expected long days.",
        ),
        (
            "bridge-3-times",
            "Mayor Edda Lorn asked for a second army ferry.",
            "Transport Minister Edda Lorn asked for a second army ferry.",
        ),
    ],
}


@pytest.mark.parametrize(
    ("name", "true", "false"), [(name, true, false) for pairs in PAIRS.values() for name, true, false in pairs]
)
def test_a_true_sentence_is_told_from_its_false_twin(
    name: str, true: str, false: str, embedding: BaseEmbedding
) -> None:
    assert is_supported(name, true, embedding) == (True, "")
    assert not is_supported(name, false, embedding)[0]


@pytest.mark.parametrize(
    ("name", "true", "false", "fault"),
    [
        (
            "flood-1-kna",
            "Die Gouverneurin sagte, das Wasser sei um 2,4 Meter gestiegen und 1.200 Häuser seien überflutet.",
            "Die Gouverneurin sagte, das Wasser sei um 2,8 Meter gestiegen und 1.200 Häuser seien überflutet.",
            "number 2,8",
        ),
        (
            "bridge-1-gazette",
            "Le pont coûtera 240 millions de couronnes, et le vote a eu lieu mardi.",
            "Le pont coûtera 420 millions de couronnes, et le vote a eu lieu mardi.",
            "number 420",
        ),
        (
            "strike-1-kna",
            "Die Arbeit wird am 12. März niedergelegt, sagte die Vorsitzende.",
            "Die Arbeit wird am 12. April niedergelegt, sagte die Vorsitzende.",
            "date April",
        ),
        (
            "strike-1-kna",
            "„Wir werden nicht weichen“, sagte die Vorsitzende der Menge, so auf Englisch: “We will not blink”.",
            "Die Vorsitzende sagte der Menge auf Englisch: “We shall never be moved”.",
            "We shall never be moved",
        ),
        (
            "flood-1-kna",
            "Die Brücke wurde um 23 Uhr gesperrt.",
            "Die Brücke wurde um 22 Uhr gesperrt.",
            "number 22",
        ),
        (
            "flood-5-wire",
            "Es sind sechs Tote in der Stadt, sagte der Arzt Anselm Ruiz.",
            "Es sind sechs Tote in der Stadt, sagte der Arzt Anselm Lorn.",
            "Anselm Lorn",
        ),
    ],
)
def test_across_languages_facts_are_held_and_meaning_is_not(
    name: str, true: str, false: str, fault: str, embedding: BaseEmbedding
) -> None:
    title, text = source_of(name)
    support, reason = check_support(true, [text], about=[title], embedding=embedding)
    assert support == "partial"
    assert "another language" in reason
    support, reason = check_support(false, [text], about=[title], embedding=embedding)
    assert support == "unsupported"
    assert fault in reason


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("The town's member of parliament, Una Brisk, opened the pool.", "The MP Una Brisk opened the pool."),
        (
            "The inspectorate wrote to 40 farms, asking them to count their sheep before the spring.",
            "The inspectorate asked 40 farms to count their sheep before the spring.",
        ),
        (
            "She confirmed that her brother had advised her to take the bank's loan because the rates were better.",
            "Her brother had advised her to take a loan of the bank because the rates were better.",
        ),
        (
            "The club said that 900 scarves were bought in a day at the ground.",
            "The club sold 900 scarves in a day at the ground.",
        ),
        (
            "The museum voted on whether the gate might need a guard, and paid for a new lock in June.",
            "The museum paid for a new security lock on the gate in June.",
        ),
        (
            "After six months the reading had fallen by an average of 6.2 points in those who swam after work, "
            "compared with 3.9 in those who swam in the morning.",
            "After six months, the after-work swimmers' reading had dropped by 6.2 points on average, against 3.9 for "
            "those who swam in the morning.",
        ),
        (
            "They raised the fee twice, and the walkers complained about the fee to the council.",
            "Walkers complained to the council about the fee after two rises of the fee.",
        ),
    ],
)
def test_a_true_sentence_in_other_forms_is_supported(source: str, sentence: str, embedding: BaseEmbedding) -> None:
    assert check_support(sentence, [source], embedding=embedding) == ("supported", "")
