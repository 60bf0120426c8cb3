"""Articles -> passages -> Chroma: reading, cutting, embedding and storing."""
