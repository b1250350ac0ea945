"""Before and during a study: how many votes, and which pairs next."""
