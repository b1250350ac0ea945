"""The report of a ranking: document, tables, figures and page."""
