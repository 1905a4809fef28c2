"""Which changes a table asks of the tokens' role lists, from what the state has, what the program asks for, and strangers.

Pure: a plan is one change for each binding, in the order of tokens and deployments. What takes it back is decided by
`writing/`, because only a write knows what was there before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from astro_provider.astro.identity import BindingId
from astro_provider.astro.roles import same_role
from astro_provider.astro.writing.changes import Add, Change, Put, Remove


@dataclass(frozen=True)
class Plan:
    """What a run of a table does.

    Attributes:
        gives: roles of entries that are new to the table.
        puts: roles of entries that are in the table and get another role, or that a delete of this run has taken.
        takes: entries that leave the table.
        strangers: what whoever is not in the table loses, because the table is exclusive.
    """

    gives: Mapping[BindingId, str] = field(default_factory=dict)
    puts: Mapping[BindingId, str] = field(default_factory=dict)
    takes: Collection[BindingId] = ()
    strangers: Collection[BindingId] = ()

    def changes(
        self, *, overwrite: bool, called: Mapping[BindingId, str], kept: Collection[BindingId] = ()
    ) -> list[Change]:
        """The changes, at most one for each binding, those of one token beside each other.

        Args:
            overwrite: a new entry may take over what is there with another role.
            called: how a message speaks of each binding, as far as names are known.
            kept: what is not taken after all, because another resource of the program has it.
        """
        everything: list[Change] = [
            *(Add(binding, role, overwrite, called=called.get(binding, "")) for binding, role in self.gives.items()),
            *(Put(binding, role, called=called.get(binding, "")) for binding, role in self.puts.items()),
            *(Remove(one, called=called.get(one, "")) for one in {*self.takes, *self.strangers} - set(kept)),
        ]
        return sorted(everything, key=lambda change: (change.binding.token_id, change.binding.deployment_id))


def plan(
    old: Mapping[BindingId, str],
    new: Mapping[BindingId, str],
    *,
    taken: Collection[BindingId] = (),
    strangers: Collection[BindingId] = (),
) -> Plan:
    """Plan the way from what the state has to what the program asks for.

    Args:
        old: the roles that the state has.
        new: the roles that the program asks for.
        taken: what a delete of this run has taken, although the table has it.
        strangers: bindings that are not in the table and must go.
    """
    return Plan(
        gives={binding: role for binding, role in new.items() if binding not in old},
        puts={
            binding: role
            for binding, role in new.items()
            if binding in old and (binding in taken or not same_role(old[binding], role))
        },
        takes=[binding for binding in old if binding not in new],
        strangers=[binding for binding in strangers if binding not in new and binding not in old],
    )
