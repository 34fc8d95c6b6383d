"""What is true on a machine now: one family of facts per file, parsers as pure functions.

The contract of every fact here (kept by ``tests/unit/facts/test_facts_rules.py``):

- one round trip, however many commands it takes (:mod:`facts.questions`);
- a frozen record that goes into JSON (:mod:`facts.record`);
- what could not be read is None and stands in ``unread`` with the reason; what was read and is
  not there is empty. pyinfra gives ``default()`` when a command fails, so that is all unknown;
- output that makes no sense is a FactProcessError that shows where it begins.

Commands never fail: a missing program is an answer of its own (exit code 127, "not found"), which
says more than pyinfra's ``requires_command`` could; that is used where the fact is one program's.
"""
