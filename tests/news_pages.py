"""News pages of many makes, each with the body, title, outlet, date and author that a reader of it would name."""

from dataclasses import dataclass
from html import escape

PARAGRAPHS = (
    "The city council voted on Monday evening to build a new bridge over the river, after three hours of talks.",
    "Work will begin in spring and take two years, the mayor, Anna Berg, told reporters outside the town hall.",
    "“We have waited for this for a decade,” she said. “Nobody should have to drive for an hour to see a doctor.”",
    "The opposition voted against the plan. Its leader, Tom Hale, called the price of 40 million euros irresponsible.",
    "A ferry carries some 900 people a day across the river now; it will stop once the bridge is open.",
    "The state pays two thirds of the cost. The rest comes from the city, which will borrow it over twenty years.",
)
TITLE = "Council votes for a new bridge after long night"
_TEASERS = ("Ten recipes for a rainy day", "Local team wins the cup again", "How to choose a bicycle for your child")
_MENU = "".join(f'<li><a href="/{name.lower()}">{name}</a></li>' for name in ("Home", "World", "Sport", "Weather"))
_NAV = f"<nav><ul>{_MENU}</ul></nav>"
_RELATED = "".join(f'<li><a href="/x/{at}">{teaser}</a></li>' for at, teaser in enumerate(_TEASERS))
_FOOTER = "<footer><p>© 2024 Example Media. All rights reserved.</p><p><a href='/terms'>Terms of use</a></p></footer>"


@dataclass(frozen=True)
class NewsPage:
    """A page and what is in it."""

    name: str
    markup: str
    source: str | None
    published: str | None
    author: str | None
    title: str = TITLE


def _p(paragraphs: tuple[str, ...] = PARAGRAPHS, **attributes: str) -> str:
    said = "".join(f' {key.rstrip("_")}="{value}"' for key, value in attributes.items())
    return "".join(f"<p{said}>{escape(paragraph, quote=False)}</p>\n" for paragraph in paragraphs)


def _page(head: str, body: str, *, lang: str = "en") -> str:
    return f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8">{head}</head>\n<body>{body}</body></html>'


def news_pages() -> list[NewsPage]:
    """All of them."""
    linked = '<script type="application/ld+json">%s</script>'
    return [
        NewsPage(
            "schema.org in an article element",
            _page(
                f"<title>{TITLE} | The Bugle</title>"
                + linked
                % (
                    '{"@context": "https://schema.org", "@type": "NewsArticle", "headline": "' + TITLE + '",'
                    '"datePublished": "2025-12-15T21:40:00+01:00", "dateModified": "2025-12-16T08:00:00+01:00",'
                    '"author": [{"@type": "Person", "name": "Jane Doe"}, {"@type": "Person", "name": "Max Moe"}],'
                    '"publisher": {"@type": "Organization", "name": "The Bugle"}}'
                ),
                f"<header>{_NAV}</header><main><article><h1>{TITLE}</h1>{_p()}</article></main>{_FOOTER}",
            ),
            "The Bugle", "2025-12-15", "Jane Doe, Max Moe",
        ),
        NewsPage(
            "a graph of schema.org objects",
            _page(
                f"<title>{TITLE} – Riverside Post</title>"
                + linked
                % (
                    '{"@graph": [{"@type": "WebSite", "name": "Riverside Post"}, {"@type": "BreadcrumbList",'
                    '"itemListElement": []}, {"@type": ["ReportageNewsArticle"], "headline": "' + TITLE + '",'
                    '"datePublished": "2025-12-15", "author": {"name": "Jane Doe"},'
                    '"publisher": {"name": "Riverside Post"}}]}'
                ),
                f"{_NAV}<div class='content'><h1>{TITLE}</h1><div class='article-body'>{_p()}</div></div>{_FOOTER}",
            ),
            "Riverside Post", "2025-12-15", "Jane Doe",
        ),
        NewsPage(
            "Open Graph alone",
            _page(
                f'<title>{TITLE}</title><meta property="og:title" content="{TITLE}">'
                '<meta property="og:site_name" content="Evening Star">'
                '<meta property="article:published_time" content="2025-12-15T20:00:00Z">'
                '<meta name="author" content="Jane Doe">',
                f"{_NAV}<div id='story'>{_p()}</div><aside><h3>Related</h3><ul>{_RELATED}</ul></aside>{_FOOTER}",
            ),
            "Evening Star", "2025-12-15", "Jane Doe",
        ),
        NewsPage(
            "a time element and a byline for readers",
            _page(
                f"<title>{TITLE}</title>",
                f"{_NAV}<article><header><h1>{TITLE}</h1><p>By <a rel='author' href='/jd'>Jane Doe</a></p>"
                f"<time datetime='2025-12-15T19:00'>Monday evening</time></header>{_p()}</article>{_FOOTER}",
            ),
            None, "2025-12-15", "Jane Doe",
        ),
        NewsPage(
            "advertisements and pointers between the paragraphs",
            _page(
                f'<title>{TITLE}</title><meta property="og:site_name" content="Daily News">',
                f"<article><h1>{TITLE}</h1>{_p(PARAGRAPHS[:2])}<div class='ad'>Advertisement</div>"
                f"<p>Read more: {_TEASERS[0]}</p>{_p(PARAGRAPHS[2:4])}<p>Story continues below this ad</p>"
                f"{_p(PARAGRAPHS[4:])}<p>Sign up for our newsletter</p></article>{_FOOTER}",
            ),
            "Daily News", None, None,
        ),
        NewsPage(
            "divisions instead of paragraphs",
            _page(
                f'<title>{TITLE}</title><meta name="date" content="2025-12-15">',
                f"{_NAV}<div class='post'><h1>{TITLE}</h1><div class='post-content'>"
                + "".join(f"<div>{escape(one, quote=False)}</div>" for one in PARAGRAPHS)
                + f"</div></div>{_FOOTER}",
            ),
            None, "2025-12-15", None,
        ),
        NewsPage(
            "tables for layout, as pages of 2001",
            "<html><head><title>" + TITLE + "</title></head><body bgcolor=white><table><tr><td width=150>"
            "<a href=/>Home</a><br><a href=/w>World</a></td><td>"
            + f"<h1>{TITLE}</h1>{_p()}</td></tr></table></body></html>",
            None, None, None,
        ),
        NewsPage(
            "comments under the story",
            _page(
                f'<title>{TITLE}</title><meta property="og:site_name" content="The Bugle">',
                f"<article><h1>{TITLE}</h1>{_p()}</article><section class='comments' id='comments'><h2>Comments</h2>"
                "<div class='comment'><p>I never liked that ferry anyway, it smells.</p>"
                "<span class='author'>Bob B</span><time datetime='2025-12-17'>later</time></div></section>",
            ),
            "The Bugle", None, None,
        ),
        NewsPage(
            "a notice on cookies and a wall of teasers",
            _page(
                f'<title>{TITLE} - The Bugle</title><meta property="og:site_name" content="The Bugle">',
                "<div id='cookie-banner' class='cookie-consent'><p>We use cookies to improve your experience.</p>"
                f"<button>Accept</button></div>{_NAV}<main><article><h1>{TITLE}</h1>{_p()}</article>"
                f"<section class='related'><h2>More from us</h2><ul>{_RELATED * 5}</ul></section></main>{_FOOTER}",
            ),
            "The Bugle", None, None,
        ),
        NewsPage(
            "microdata on every paragraph",
            _page(
                f"<title>{TITLE}</title><meta itemprop='datePublished' content='2025-12-15'>",
                "<div itemscope itemtype='https://schema.org/NewsArticle'>"
                f"<h1 itemprop='headline'>{TITLE}</h1><span itemprop='author'>Jane Doe</span>"
                f"<div itemprop='articleBody'>{_p(PARAGRAPHS, class_='story__text')}</div></div>{_FOOTER}",
            ),
            None, "2025-12-15", "Jane Doe",
        ),
        NewsPage(
            "subheadings and a quotation set apart",
            _page(
                f'<title>{TITLE}</title><meta property="og:site_name" content="Harbour Herald">',
                f"<article><h1>{TITLE}</h1>{_p(PARAGRAPHS[:2])}<h2>Ten years of waiting</h2>"
                f"<blockquote><p>{PARAGRAPHS[2]}</p></blockquote><h2>What it costs</h2>{_p(PARAGRAPHS[3:])}</article>",
            ),
            "Harbour Herald", None, None,
        ),
        NewsPage(
            "unclosed and misplaced tags",
            f"<html><head><title>{TITLE}</title><meta name=author content='Jane Doe'><body><div><h1>{TITLE}</h1>"
            + "".join(f"<p>{escape(one, quote=False)}" for one in PARAGRAPHS)
            + "</div></b></span><footer>© 2024</html>",
            None, None, "Jane Doe",
        ),
        NewsPage(
            "broken structured data beside good tags",
            _page(
                f'<title>{TITLE}</title>{linked % "{not json"}{linked % "[[[[1]]]]"}{linked % "null"}'
                '<meta property="og:site_name" content="The Bugle"><meta name="pubdate" content="15 December 2025">',
                f"<article><h1>{TITLE}</h1>{_p()}</article>",
            ),
            "The Bugle", "2025-12-15", None,
        ),
    ]  # fmt: skip
