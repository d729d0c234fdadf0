"""What an API key may do."""

from enum import StrEnum


class Scope(StrEnum):
    """One right of a key. `personal:read` goes beside another: contacts, names and free text are shown only with it."""

    EVENTS_WRITE = "events:write"
    PROFILES_READ = "profiles:read"
    PROFILES_WRITE = "profiles:write"
    PERSONAL_READ = "personal:read"
    REWARDS_READ = "rewards:read"
    REWARDS_WRITE = "rewards:write"
    PROGRAM_WRITE = "program:write"
    ADMIN_READ = "admin:read"
    ADMIN_WRITE = "admin:write"


ALL_SCOPES = frozenset(Scope)
