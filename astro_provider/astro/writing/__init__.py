"""The only road by which a token's roles are written.

Astro replaces a token's whole role list on every write and offers no precondition, so two writers that start from the
same list lose one of the two changes. Everything here exists to prevent that. Nothing here knows about Pulumi, and
nothing outside posts roles.

How a change is made:

1. *Together.* Changes that wait for the same token go out as one: one read, one merged write. One thread, the
   leader, makes the changes of all; the other threads follow. A lone change waits at most GATHER_SECONDS for others, and
   for its token's turn at the service's pace. Each gets its own outcome; if the service refuses a merged list, its changes
   are tried one by one.
2. *Alone on this machine.* Between read and write the token's lock is held, so that two processes here take turns.
3. *Fresh.* A list that was read longer than half the settle time ago is never written: it is read again.
4. *Checked.* The answer to the write must show what was asked; if it does not, the list is read and merged again. After
   a write whose answer never came, the list is read first, and then decided.
5. *Settled.* A writer on another machine may have read before our write and write after it. What we wrote is therefore
   remembered. Every later read of that token puts back what was undone, and one settle time after our last write to it
   the token is looked at, also while changes of other tokens go on. What has been seen standing is forgotten; what
   shows undone so late that the reason is unknown is an error. The last change of a batch waits until all of it has been
   seen standing; a change that arrives meanwhile takes over that wait, so that a batch pays it once.
6. *Out of step.* A writer that finds its change undone pauses for a random time before it reads the token for its next
   write. Two writers of the same pace would otherwise undo each other with every write.

Why this is enough: a writer that read before our write and follows rule 3 has written, or never will, by the time we
look again. What is not promised stands in docs/concurrency.md.

`merge.py`, `ledger.py` and `settling.py` decide, without threads, clock or calls; `account.py` reports what does not stand;
`queues.py` gives tokens their turns, and `writer.py` has the threads, the clock, the lock and the calls.
"""
