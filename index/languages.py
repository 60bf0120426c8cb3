"""Languages of texts: which one, told by its commonest words or its script."""

import re
import unicodedata

# The commonest words of each language that English does not have, as questions use them.
_COMMON_WORDS = {
    "en": "the what who which when where why how did does do is are was were has have of to in and for with "
    "about many a an as can could should you me it i be been on at by not or that this there",
    "de": "der die das den dem des ein eine ist sind war waren hat haben wer wie wann warum welche welcher "
    "welches welchem welchen wo und mit von zu für über nicht wurde wurden sich auf im am bei nach viele "
    "was",
    "fr": "le la les un une des du de et est sont était étaient qui que quoi quel quelle quels quelles quand où "
    "pourquoi comment combien avec pour dans sur au aux il elle ont pas se lors",
    "es": "el la los las un una de del y es son era fue fueron quién quien qué que cuál cuáles cuándo cuando "
    "dónde donde por cómo como cuántos cuántas cuánto con para en sobre se su ha han al",
    "it": "il lo la gli le un una di del della e è sono era chi che cosa quale quali quando dove perché come "
    "quanti quante quanto con per nel nella su ha hanno si al dei delle",
    "pt": "os um uma de da dos das é são foi foram quem que qual quais quando onde por como quantos quantas "
    "quanto com para em na sobre se não",
    "nl": "de het een en is zijn was waren wie wat welke wanneer waar waarom hoe hoeveel met van voor in op "
    "over niet heeft hebben er werd werden aan bij",
    "pl": "i w z na do jest są był była było byli kto co który która które kiedy gdzie dlaczego jak ile czy się "
    "nie o przez dla po od za",
    "sv": "och är var vem vad vilken vilka när varför hur många med för på om inte har hade till av en ett det den",
    "tr": "ve bir bu ne kim kaç nasıl neden nerede zaman hangi için ile mi mı mu mü oldu olan da de var kadar",
}
_SCRIPTS = {
    "CYRILLIC": "ru", "ARABIC": "ar", "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "GREEK": "el",
    "HEBREW": "he", "DEVANAGARI": "hi",
}  # fmt: skip
_UKRAINIAN = re.compile("[іїєґ]", re.IGNORECASE)
_TURKISH = re.compile("[ğı]")
# Enough to tell a language by: a long article's first paragraphs.
_CHARACTERS_READ = 4000
# So many different words, and a language that is none of ours has a few of ours by chance.
_MANY_WORDS = 40


def tell_language(text: str) -> str | None:
    """The ISO 639-1 code of a text's language; None where its words and letters do not clearly tell one.

    A language is told by its script, or by at least two of its commonest words, in a long text five, and more of them
    than English has.
    """
    text = text[:_CHARACTERS_READ]
    letters = [unicodedata.name(letter, "").split(" ")[0].split("-")[0] for letter in text if letter.isalpha()]
    for script, code in _SCRIPTS.items():
        if letters.count(script) * 2 > len(letters):
            if code == "zh" and {"HIRAGANA", "KATAKANA"} & set(letters):
                return "ja"
            return "uk" if code == "ru" and _UKRAINIAN.search(text) else code
    said = set(re.findall(r"[^\W\d_]+", text.lower()))
    counts = {code: len(said & set(words.split())) for code, words in _COMMON_WORDS.items()}
    counts["tr"] += 2 * bool(_TURKISH.search(text.lower()))
    best = max(counts, key=lambda code: (counts[code], code == "en"))
    return best if counts[best] >= (5 if len(said) >= _MANY_WORDS else 2) else None
