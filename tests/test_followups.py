"""What is offered after an answer: questions that the articles answer with words the reader has not seen."""

from collections.abc import Iterable

from index.store import PassageStore
from rag.extractive import Extract, quote_answer
from rag.followups import MAX_OFFERED, FollowUps, make_questions
from rag.retrieval import NewsRetriever
from tests.fake_engine import FakeEngine, MemoryStore, make_article

TEXT = (
    "Mayor Anna Berg said shops lost money. Anna Berg said again that shops lost money. The long talks lasted a day.\n"
)
LISTED = [make_article("a", TEXT, title="Bridge closed"), make_article("b", TEXT, title="Bridge opens")]


class Refusing(FakeEngine):
    """Answers only some questions."""

    def __init__(self, answers: Iterable[str]) -> None:
        super().__init__(LISTED)
        self._answers = set(answers)

    async def quote(self, question: str) -> Extract:
        extract = await super().quote(question)
        return extract if question in self._answers else Extract("No.", refused=True)


def test_questions_are_of_several_kinds_and_not_of_those_asked() -> None:
    store = FakeEngine(LISTED).store
    made = make_questions(store, ["a", "gone", "b"], [])
    assert "How long did the long talks last?" in made
    assert "Who is Anna Berg?" in made
    again = make_questions(store, ["a"], ["how long did THE long talks last"])
    assert "How long did the long talks last?" not in again


def test_who_was_asked_about_comes_last() -> None:
    made = make_questions(FakeEngine(LISTED).store, ["a"], ["What did Anna Berg say?"])
    about = ["Berg" in question for question in made]
    assert about == sorted(about)
    assert any(about)


async def test_what_the_articles_do_not_answer_is_not_offered() -> None:
    engine = Refusing(["Who is Anna Berg?"])
    assert await FollowUps(engine).offer(["a"], asked=[]) == ["Who is Anna Berg?"]
    assert await FollowUps(Refusing([])).offer(["a"], asked=[]) == []


async def test_what_only_repeats_words_already_seen_is_not_offered() -> None:
    engine = FakeEngine(LISTED)
    offered = await FollowUps(engine).offer(["a"], asked=[], seen=[("a", 0)])
    assert engine.quoted[0] not in offered
    assert len(offered) <= MAX_OFFERED


async def test_a_question_is_tried_once_until_the_articles_change() -> None:
    engine = FakeEngine(LISTED)
    follow_ups = FollowUps(engine)
    first = await follow_ups.offer(["a"], asked=[])
    tried = list(engine.quoted)
    assert tried
    assert await follow_ups.offer(["a"], asked=[]) == first
    assert engine.quoted == tried
    engine.store = MemoryStore([*LISTED, make_article("c", TEXT, title="Bridge stays")])
    await follow_ups.offer(["a"], asked=[])
    assert len(engine.quoted) > len(tried)


async def test_two_questions_about_the_same_are_not_offered_together() -> None:
    offered = await FollowUps(FakeEngine(LISTED)).offer(["a", "b"], asked=[])
    assert sum("Berg" in question for question in offered) == 1
    assert len(offered) > 1


async def test_each_question_offered_over_the_articles_that_ship_is_answered_with_other_words(
    seed_store: PassageStore,
) -> None:
    retriever = NewsRetriever(seed_store, top_k=8)

    class Quotes:
        store = seed_store

        async def quote(self, question: str) -> Extract:
            return quote_answer(question, retriever.search(question), store=seed_store)

    ids = [one.id for one in seed_store.articles()]
    offered = await FollowUps(Quotes()).offer(ids, asked=["How long did the talks on Sunday last?"])
    assert len(offered) == MAX_OFFERED
    places = []
    for question in offered:
        [first, *_] = (await Quotes().quote(question)).citations
        places.append((first.passage.article_id, first.start))
    assert len(set(places)) == MAX_OFFERED
