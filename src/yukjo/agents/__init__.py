"""The agents' roles: what each is for, how it speaks, which tools and answer rules it has."""

from yukjo.agents.roles import Role, role, roles

__all__ = ["Role", "role", "roles"]
