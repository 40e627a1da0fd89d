"""Everything that a checkout needs to run, from nothing: packages, servers, the demo, the tests.

Only Python's own library is imported here, because nothing else is there yet.
"""
