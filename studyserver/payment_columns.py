"""The payment list: one list of columns makes the table, its header and its data dictionary."""

from studyserver.columns import Column, moment

__all__ = ["COLUMNS"]

COLUMNS = (
    Column(
        "identifier",
        "string",
        "The recruitment service's own name of the person, where a list of them was given; never stored.",
        lambda row: row.identifier,
        free_text=True,
    ),
    Column("service", "string", "Recruitment service that sent the person.", lambda row: row.service, free_text=True),
    Column(
        "submission", "string", "Number of the submission at the service.", lambda row: row.submission, free_text=True
    ),
    Column("participant", "string", "Pseudonym, as in the vote table.", lambda row: row.participant),
    Column("origin", "string", "real or pilot participant.", lambda row: row.origin),
    Column("outcome", "string", "Step that the session is at, or how it ended.", lambda row: row.outcome),
    Column("code", "string", "Code that the participant was given at the end.", lambda row: row.code),
    Column("pay", "string", "full, partial or none, by the pay rule in force.", lambda row: row.pay),
    Column("amount", "string", "What that is, without the service's fee.", lambda row: f"{row.amount:.2f}"),
    Column("currency", "string", "Of the amounts, ISO 4217.", lambda row: row.currency),
    Column("reason", "string", "Why.", lambda row: row.reason, free_text=True),
    Column("paid_at", "string", "When it was marked as paid (UTC, ISO 8601).", lambda row: moment(row.paid_at)),
    Column(
        "paid_amount",
        "string",
        "What was paid then.",
        lambda row: None if row.paid_amount is None else f"{row.paid_amount:.2f}",
    ),
)
