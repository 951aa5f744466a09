"""Docker's JSON documents, as an engine words them: for builders and for the embedded engine.

Pure.  Knows every field that an engine of API 1.51 writes; knows no engine and keeps no state.
"""
