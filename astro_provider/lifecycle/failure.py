"""One contract of failure: what may stand is in the state, and the error says what was sent, what may stand, what to do.

    what became of the write                    create            update            delete
    ------------------------------------------  ----------------  ----------------  -----------------------------------
    nothing was sent, or it was seen undone     not kept          as before         as before
    sent, and no answer or read has shown it    kept, unfinished  kept, unfinished  as before; the error says to refresh
    it stands, and one of another resource      kept, as done     kept, as done     as before; the error says to refresh
    was undone after it had ended as done

A create that is kept although it sent nothing would have `destroy` remove a grant that is not ours. What is kept as
unfinished carries UNFINISHED among its outputs, beside the role and never as one, because with `--target` the outputs are
inputs of other resources. The engine updates it in the next run, whatever the program says then.

It is the same for one binding and for many: `single.py` and `tables/` say what the entries are called.
"""

from __future__ import annotations

from astro_provider.astro.writing.account import Account
from astro_provider.errors import TableNotWritten, WriteNotConfirmed

NEXT_RUN = (
    "The state shows it as unfinished: the next preview shows an update, and the next `pulumi up` writes what the program "
    "asks for then."
)
BEFORE_AGAIN = "Run again to remove it; before you declare it again, run `pulumi refresh`."


def may_stand(called: str, role: str) -> str:
    """The text for a role that was sent and may stand.

    Args:
        called: how a message speaks of the binding.
        role: what was sent.
    """
    return f"The role {role} for {called} was sent, and Astro has not shown since whether it stands. {NEXT_RUN}"


def may_be_gone(called: str) -> str:
    """The text for a removal that was sent and of which it is not known whether it was made."""
    return f"The removal of {called} was sent, and Astro has not shown since whether the role is gone."


def although_given(done: str, others: Account) -> str:
    """The text for roles that stand, whose operation has to report what became of other resources.

    Args:
        done: what the operation has done, as a sentence.
        others: what became of other resources.
    """
    return f"{done} That stays. But this run lost changes of other resources: {others.with_advice}"


def although_removed(done: str, others: Account) -> str:
    """The same for a delete, which the engine will repeat."""
    return f"{although_given(done, others)} This resource is in the state until then. {BEFORE_AGAIN}"


def with_others(error: Exception, others: Account) -> Exception:
    """An error of a resource's own, together with what its operation has to report of other resources."""
    if not others:
        return error
    kind = TableNotWritten if isinstance(error, TableNotWritten) else WriteNotConfirmed
    both = kind(f"{error} {others.with_advice}")
    both.kept = getattr(error, "kept", None)
    return both
