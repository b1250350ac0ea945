"""Scores of conditions from votes, with what is known of their uncertainty."""
