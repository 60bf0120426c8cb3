import pytest

from rag.languages import language_of, reads_english


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("How long did the talks last?", "en"),
        ("Kallas statement", "en"),
        ("", "en"),
        ("Had Witkoff met Zelensky before Sunday?", "en"),
        ("What is Adana kebabı?", "en"),
        ("Wie lange haben die Gespräche gedauert?", "de"),
        ("In welchem Hotel hat er übernachtet?", "de"),
        ("Combien de drones la Russie a-t-elle lancés ?", "fr"),
        ("¿Quién dijo que el destino de Europa es incierto?", "es"),
        ("Quale paese si oppone alla proposta e perché?", "it"),
        ("Que percentagem das questões já foi acordada?", "pt"),
        ("In welke stad kwamen de militairen bijeen?", "nl"),
        ("Ile godzin to było i kto był na spotkaniu?", "pl"),
        ("Vem är det som har talat om avtalet?", "sv"),
        ("Görüşmeler kaç saat sürdü ve kim vardı?", "tr"),
        ("Сколько пунктов в мирном плане?", "ru"),
        ("Хто є головним переговорником України?", "uk"),
        ("كم استمرت المحادثات؟", "ar"),
        ("会谈持续了多久？", "zh"),
        ("会談はどのくらい続きましたか？", "ja"),
        ("회담은 얼마나 걸렸습니까?", "ko"),
    ],
)
def test_a_question_is_in_the_language_its_words_or_letters_tell(question: str, code: str) -> None:
    assert language_of(question) == code


def test_every_language_told_has_its_sentence_and_an_unknown_one_has_the_english() -> None:
    sentences = {reads_english(code) for code in ("de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "ru", "uk")}
    assert len(sentences) == 11
    assert "English" in reads_english("fi")
    assert reads_english("fi") not in sentences
