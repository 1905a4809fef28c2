"""The resources that a program declares, and the functions that it calls. Only this wing and `native.py` build resources."""
