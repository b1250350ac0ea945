"""Participants: how far they agree, and whose votes to trust."""
