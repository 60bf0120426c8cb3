"""Languages of questions: which one, told by its commonest words or its script, and what to say to its speakers.

Quoting compares a question with English articles word by word; a question in another language finds next to nothing.
"""

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

_READS_ENGLISH = {
    "de": "Ohne Sprachmodell antworte ich mit Zitaten und verstehe nur Fragen auf Englisch. Bitte auf Englisch fragen.",
    "fr": "Sans modèle de langue, je réponds par des citations et ne comprends que l’anglais. Merci de poser la "
    "question en anglais.",
    "es": "Sin un modelo de lenguaje respondo con citas y solo entiendo preguntas en inglés. Pregunte en "
    "inglés, por favor.",
    "it": "Senza un modello linguistico rispondo con citazioni e capisco solo domande in inglese. Chieda in "
    "inglese, per favore.",
    "pt": "Sem um modelo de linguagem, respondo com citações e só entendo perguntas em inglês. Pergunte em "
    "inglês, por favor.",
    "nl": "Zonder taalmodel antwoord ik met citaten en begrijp ik alleen vragen in het Engels. Stel de vraag in "
    "het Engels.",
    "pl": "Bez modelu językowego odpowiadam cytatami i rozumiem tylko pytania po angielsku. Proszę zapytać po "
    "angielsku.",
    "sv": "Utan språkmodell svarar jag med citat och förstår bara frågor på engelska. Fråga gärna på engelska.",
    "tr": "Dil modeli olmadan alıntılarla yanıt veririm ve yalnızca İngilizce soruları anlarım. Lütfen "
    "İngilizce sorun.",
    "ru": "Без языковой модели я отвечаю цитатами и понимаю вопросы только на английском. Спросите, пожалуйста, "
    "по-английски.",
    "uk": "Без мовної моделі я відповідаю цитатами й розумію запитання лише англійською. Запитайте, будь ласка, "
    "англійською.",
    "ar": "من دون نموذج لغوي أجيب بالاقتباس ولا أفهم إلا الأسئلة بالإنجليزية. يُرجى طرح السؤال بالإنجليزية.",
    "zh": "没有语言模型时，我以引文作答，只能理解英文问题。请用英文提问。",
    "ja": "言語モデルがない場合は引用で答え、英語の質問だけを理解します。英語で質問してください。",
    "ko": "언어 모델이 없으면 인용으로 답하며 영어 질문만 이해합니다. 영어로 질문해 주세요.",
    "el": "Χωρίς γλωσσικό μοντέλο απαντώ με παραθέματα και καταλαβαίνω μόνο ερωτήσεις στα αγγλικά. Ρωτήστε στα "
    "αγγλικά.",
    "he": "ללא מודל שפה אני עונה בציטוטים ומבין רק שאלות באנגלית. אנא שאלו באנגלית.",
    "hi": "भाषा मॉडल के बिना मैं उद्धरणों से उत्तर देता हूँ और केवल अंग्रेज़ी के प्रश्न समझता हूँ। कृपया अंग्रेज़ी में पूछें।",
}
_SAID_IN_ENGLISH = (
    "Without a language model I answer by quoting and understand only questions in English. Please ask in English."
)


def language_of(text: str) -> str:
    """The ISO 639-1 code of a question's language; `en` where its words do not clearly tell another one.

    A language is told by its script, or by at least two of its commonest words and more of them than English has.
    """
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
    return best if counts[best] >= 2 else "en"


def reads_english(code: str) -> str:
    """The plain sentence, in the language of `code`, that answering by quoting reads English; in English if unknown."""
    return _READS_ENGLISH.get(code, _SAID_IN_ENGLISH)
