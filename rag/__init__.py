"""Question -> passages -> answer with citations that are checked."""
