#!/usr/bin/python
"""Stands in for the module of this name: there is no container engine here.

WANT_JSON
"""

import json
import os
import sys

with open(sys.argv[1]) as arguments:
    asked = json.load(arguments)
there = os.path.exists(os.path.join(asked["path"], "Dockerfile"))
print(json.dumps({"failed": not there, "changed": asked["rebuild"] == "always"}))
