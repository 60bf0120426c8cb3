"""Reading files, pages, feeds and dumps into articles: one kind of file a module, all through `kinds`."""
