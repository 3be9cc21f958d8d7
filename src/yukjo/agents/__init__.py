"""The agents' roles: what each is for, how it speaks, which tools and answer rules it has."""

from yukjo.agents.roles import Role, of_project, role, roles

__all__ = ["Role", "of_project", "role", "roles"]
