"""Participants' pages: parse the request, ask services and selectors, render."""
