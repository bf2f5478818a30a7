"""What the writers of this room share."""

MAX_NAME = 100


class CatalogError(Exception):
    """What was asked cannot be done; the text says why and what to do."""


def checked_name(name: str, what: str = "name", longest: int = MAX_NAME) -> str:
    """The trimmed name. Raises `CatalogError` when it is empty, too long, or has characters that do not print."""
    trimmed = " ".join(name.split())
    if not trimmed:
        raise CatalogError(f"Give it a {what}.")
    if len(trimmed) > longest:
        raise CatalogError(f"The {what} has {len(trimmed)} characters; at most {longest} fit.")
    if not trimmed.isprintable():
        raise CatalogError(f"The {what} holds characters that cannot be printed; type it again.")
    return trimmed


def project_topic(project: int) -> str:
    """The live topic of a project's page."""
    return f"catalog.project.{project}"
