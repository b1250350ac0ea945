"""The dashboard of a study: the arithmetic of its figures, and these in words, pictures and tables."""
