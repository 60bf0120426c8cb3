"""Agents on this machine: the tools of the Model Context Protocol over standard input and output.

Imported only where the extra `mcp` is installed.
"""

import asyncio
from typing import Any

from rag.answers import to_json
from rag.api.desk import Desk
from rag.api.engine import Answering
from rag.api.mcp_door import DeskLibrary, tool_server
from rag.filters import Filter
from rag.remote import RunningPage


class PageLibrary:
    """The articles of the page that runs and owns the index."""

    def __init__(self, page: RunningPage) -> None:
        """Ask `page`."""
        self._page = page

    async def search(self, question: str, among: Filter, client: str) -> dict[str, Any]:
        """The passages found for a question."""
        return await asyncio.to_thread(self._page.search, question, among)

    async def ask(self, question: str, among: Filter, client: str) -> dict[str, Any]:
        """The answer to a question."""
        return to_json(await asyncio.to_thread(self._page.ask, question, among=among))

    async def read(self, article_id: str) -> dict[str, Any]:
        """An article."""
        return await asyncio.to_thread(self._page.article, article_id)


def serve_agents(source: RunningPage | Answering) -> None:
    """Answer on standard output what comes on standard input, until that ends."""
    library = PageLibrary(source) if isinstance(source, RunningPage) else DeskLibrary(Desk(source))
    tool_server(library).run("stdio")
