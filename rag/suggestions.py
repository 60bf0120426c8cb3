"""Questions to begin with, made from the articles: who speaks in them, and of what more than one of them tells."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from index.articles import Article
from index.sentences import split_sentences

_SPEECH: Final = (
    r"(?:said|says|told|stated|wrote|added|warned|stressed|announced|argued|insisted|explained|acknowledged)"
)
_PARTICLE: Final = r"(?:de|del|der|den|di|da|van|von|la|le|al|bin|ibn|dos)"
_NAME: Final = re.compile(rf"[^\W\d_][\w’'-]*(?: (?:{_PARTICLE} )*[^\W\d_][\w’'-]*){{1,4}}(?= (?:also )?{_SPEECH}\b)")
_SURNAME: Final = re.compile(rf"([A-Z][\w-]+) (?:also )?{_SPEECH}\b|\b(?:said|says) (?:[A-Z][\w-]+ )?([A-Z][\w-]+)")
_LASTED: Final = re.compile(r"\b([Tt]he (?:[a-z]+ ){1,2})(?:have |has |had )?lasted\b")
_TITLES: Final = {
    "ambassador", "chancellor", "chief", "doctor", "dr", "envoy", "foreign", "general", "governor", "judge", "king",
    "minister", "mr", "mrs",
    "ms", "pope", "president", "prime", "prince", "professor", "queen", "secretary", "senator", "sir", "spokesman",
    "spokesperson", "spokeswoman",
}  # fmt: skip
_BODIES: Final = {
    "administration", "agency", "association", "authority", "bank", "board", "bureau", "club", "commission",
    "committee", "company", "congress", "corporation", "council", "court", "defense", "defence", "department", "force",
    "forces", "government", "group", "house", "inc", "institute", "ministry", "nations", "news", "office", "officials",
    "organization", "parliament", "party", "police", "post", "press", "senate", "service", "state", "states", "street",
    "times", "union", "university",
}  # fmt: skip
_NOT_NOUNS: Final = ("ed", "ly", "ing", "ic", "al", "ous", "ive", "ful", "able", "ible", "less")
_COMMON: Final = {
    "about", "after", "again", "against", "agreed", "ahead", "allow", "along", "already", "also", "always", "among",
    "another", "around", "aware", "away", "back", "became", "because", "become", "been", "before", "began", "being",
    "below", "between", "both", "bring", "called", "came", "come", "comes", "could", "days", "described", "despite",
    "does", "done", "down", "during", "each", "earlier", "either", "enough", "even", "ever", "every", "expected",
    "family", "first", "followed", "following", "former", "found", "from", "gave", "give", "given", "going", "good",
    "have", "having", "help", "here", "hold", "into", "issue", "issues", "itself", "just", "keep", "known", "last",
    "late", "later", "least", "less", "like", "likely", "long", "made", "make", "making", "many", "meanwhile", "meet",
    "might", "million", "more", "most", "much", "must", "near", "need", "needs", "never", "next", "nothing", "often",
    "once", "only", "other", "others", "over", "part", "parts", "people", "percent", "place", "plenty", "previously",
    "real", "recent", "recently", "remain", "reported", "said", "same", "saying", "says", "second", "seen", "several",
    "should", "shown", "side", "sides", "since", "some", "something", "soon", "still", "such", "take", "taken", "tell",
    "than", "that", "their", "them", "then", "there", "these", "they", "thing", "things", "third", "this", "those",
    "though", "through", "time", "times", "today", "together", "told", "took", "toward", "towards", "under", "until",
    "upon", "used", "very", "want", "wants", "week", "weeks", "well", "went", "were", "what", "when", "where",
    "whether", "which", "while", "whole", "whom", "whose", "will", "with", "within", "without", "would", "year",
    "years", "your",
}  # fmt: skip
_MOST_ARTICLES: Final = 60


def suggest_questions(articles: Sequence[Article], count: int = 3) -> list[str]:
    """Questions that the articles answer, the same for the same articles.

    A person who is quoted gives "What did ... say?"; a phrase that several articles use gives "What is said about
    ...?"; where the articles have neither, their headlines serve.
    """
    chosen = articles[:: max(1, len(articles) // _MOST_ARTICLES)][:_MOST_ARTICLES]
    topics = _topics(chosen)
    people = [
        f"What did {name} say about {topic}?" if topic else f"What did {name} say?"
        for name, topic in _with_topics(_speakers(chosen), topics)
    ]
    named = set(" ".join(people[:2]).split())
    subjects = [_ask_about(topic) for topic in topics if not named & set(topic.split())]
    headlines = [f"What is “{article.title.rstrip(' .…')}” about?" for article in chosen if article.title]
    questions = people[:1] + subjects[:1] + people[1:] + subjects[1:] + headlines
    return list(dict.fromkeys(questions))[:count]


def questions_about(articles: Sequence[Article]) -> list[str]:
    """Questions about a few articles, kinds in turn: what somebody said of something, how long, of what, who one is."""
    topics = _topics(articles)
    speakers = _speakers(articles)
    several = [topic for topic in topics if _is_plural(topic)]  # which read well whatever they are
    said = [
        [f"What did {name} say about {topic}?" for topic in several if any(topic in one for one in spoken)]
        for name, spoken in speakers.items()
    ]
    text = "\n".join(article.text for article in articles)
    lasted = [f"How long did {match[1].lower()}last?" for match in _LASTED.finditer(text)]
    kinds = [
        [question for row in itertools.zip_longest(*said) for question in row if question],
        list(dict.fromkeys(lasted)),
        [_ask_about(topic) for topic in topics],
        [f"Who is {name}?" for name in speakers],
    ]
    return list(dict.fromkeys(one for row in itertools.zip_longest(*kinds) for one in row if one))


def _speakers(articles: Sequence[Article]) -> dict[str, list[str]]:
    """People who are quoted, those in most sentences first, each with the sentences in which they speak.

    A person is named in full once and by surname after that: sentences count under the fullest name.
    """
    full_names: dict[str, str] = {}
    spoken: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        for start, end in split_sentences(article.text):
            sentence = article.text[start:end]
            for name in _names(sentence):
                surname = name.split()[-1]
                known = full_names.get(surname)
                if known is None or known.split()[0].lower() in _TITLES:
                    full_names[surname] = name
            for match in _SURNAME.finditer(sentence):
                spoken[match[1] or match[2]].append(sentence)
    people = {name: spoken[surname] for surname, name in full_names.items()}
    return dict(sorted(people.items(), key=lambda item: (-len(item[1]), item[0])))


def _names(sentence: str) -> Iterator[str]:
    for match in _NAME.finditer(sentence):
        words = match.group().split()
        name = _last_capitalised(words)
        before = " ".join(words[: len(words) - len(name)]) or sentence[: match.start()].rstrip()
        if not name or name[-1].lower() in _BODIES or name[0].lower() == "the":
            continue
        if not before.endswith(("’s", "'s", "the", "The")):
            yield " ".join(name)


def _last_capitalised(words: Sequence[str]) -> list[str]:
    """The end of a run of words that is a name: two capitalised words and the particles between them."""
    name: list[str] = []
    capitalised = 0
    for word in reversed(words):
        if word[0].isupper() and not word.isupper():
            capitalised += 1
        elif not (capitalised and re.fullmatch(_PARTICLE, word)):
            break
        name.insert(0, word)
        if capitalised == 2:
            return name
    return []


def _topics(articles: Sequence[Article]) -> list[str]:
    """Phrases of two words that most articles share, best first."""
    used_in: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for article in articles:
        phrases = Counter(_phrases(article.text))
        used.update(phrases)
        used_in.update(phrases.keys())
    shared = [phrase for phrase in used if used_in[phrase] > 1 or (len(articles) == 1 and used[phrase] > 1)]
    return sorted(shared, key=lambda phrase: (-used_in[phrase], -used[phrase], phrase))[:20]


def _phrases(text: str) -> Iterable[str]:
    words = re.findall(r"[^\W\d_]+|[^\w\s]|\n", text)
    for first, second in itertools.pairwise(words):
        telling = all(word.islower() and len(word) > 3 and word not in _COMMON for word in (first, second))
        if telling and not first.endswith("ly") and not second.endswith(_NOT_NOUNS) and second not in _TITLES:
            yield f"{first} {second}"


def _ask_about(topic: str) -> str:
    """What is said about several things as they are, about one with its article."""
    return f"What is said about {topic if _is_plural(topic) else f'the {topic}'}?"


def _is_plural(topic: str) -> bool:
    return re.search(r"[^su]s$", topic) is not None


def _with_topics(speakers: dict[str, list[str]], topics: Sequence[str]) -> list[tuple[str, str]]:
    """Each speaker with a topic (in the plural, which reads well) of one of their sentences, or with an empty one."""
    topics = [topic for topic in topics if _is_plural(topic)]
    taken: set[str] = set()
    pairs: list[tuple[str, str]] = []
    for name, sentences in speakers.items():
        topic = next((topic for topic in topics if topic not in taken and any(topic in said for said in sentences)), "")
        taken.add(topic)
        pairs.append((name, topic))
    return pairs
