"""What the address of an invitation says about who comes: a person's identifier, the service and its submission."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["SERVICES", "Arrival", "Service", "read_arrival"]

# MTurk's word for "has not accepted the task yet".
_NOT_ACCEPTED = "ASSIGNMENT_ID_NOT_AVAILABLE"
# How the services write a parameter that they should have filled in: {{%PROLIFIC_PID%}}, ${workerId}, %worker%, [ID].
_PLACEHOLDER_STARTS = ("{", "${", "%", "[", "<")
_LONGEST_IDENTIFIER, _LONGEST_SUBMISSION, _LONGEST_TOKEN = 200, 100, 40


@dataclass(frozen=True)
class Service:
    """A recruitment service and the names under which it sends a person and their submission."""

    name: str
    identifier: str
    submission: str


# MTurk and services in the manner of Toloka share `workerId`; the name of the assignment tells them apart.
SERVICES = (
    Service("prolific", "PROLIFIC_PID", "SESSION_ID"),
    Service("mturk", "workerId", "assignmentId"),
    Service("toloka", "worker_id", "assignment_id"),
    Service("toloka", "workerId", "assignment_id"),
    Service("other", "participant", "submission"),
)


@dataclass(frozen=True)
class Arrival:
    """Who comes. Without `identifier` nobody in particular; `service` and `submission` are then empty too.

    `only_looking`: a worker who has not accepted the task, or an address in which the service filled nothing in;
    there is nobody who could agree to anything.
    """

    identifier: str = ""
    service: str = ""
    submission: str = ""
    invitation: str = ""
    only_looking: bool = False


def read_arrival(parameters: Mapping[str, str]) -> Arrival:
    """Return what the parameters of an address say; unknown ones are left alone, and nothing in them is an error."""

    def value(name: str, longest: int) -> str:
        return "".join(letter for letter in parameters.get(name, "") if letter.isprintable()).strip()[:longest]

    invitation = value("invitation", _LONGEST_TOKEN)
    named = [service for service in SERVICES if value(service.identifier, _LONGEST_IDENTIFIER)]
    service = next((row for row in named if value(row.submission, 1)), named[0] if named else None)
    identifier = value(service.identifier, _LONGEST_IDENTIFIER) if service else ""
    looking = value("assignmentId", _LONGEST_SUBMISSION) == _NOT_ACCEPTED or identifier.startswith(_PLACEHOLDER_STARTS)
    if service is None or looking:
        return Arrival(invitation=invitation, only_looking=looking)
    return Arrival(identifier, service.name, value(service.submission, _LONGEST_SUBMISSION), invitation)
