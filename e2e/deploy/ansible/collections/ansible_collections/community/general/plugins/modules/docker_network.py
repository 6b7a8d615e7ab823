#!/usr/bin/python
"""Stands in for the module of this name: there is no container engine here.

WANT_JSON
"""

print('{"changed": false}')
