#!/bin/sh
# tests/lint.py as a test: the rules of the code that a machine can check.
# SPDX-License-Identifier: MIT
exec "${PYTHON3:-python3}" "${srcdir:-.}/tests/lint.py" "${srcdir:-.}" ./viduhook ./viduhookd
