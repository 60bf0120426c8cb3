"""Languages of questions: which one, and what to say to its speakers.

Quoting compares a question with English articles word by word; a question in another language finds next to nothing.
"""

from index.languages import tell_language

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
    """The ISO 639-1 code of a question's language; `en` where its words and letters do not clearly tell another one."""
    return tell_language(text) or "en"


def reads_english(code: str) -> str:
    """The plain sentence, in the language of `code`, that answering by quoting reads English; in English if unknown."""
    return _READS_ENGLISH.get(code, _SAID_IN_ENGLISH)
